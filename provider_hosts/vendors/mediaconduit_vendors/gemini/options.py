"""The options of the vendor's models, and where they stand in a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mediaconduit.v1.options_pb2 import ToolChoice
from mediaconduit_provider import Call

from mediaconduit_vendors.options import Schema, place

FIELDS: Final[Mapping[str, str]] = {
    "candidates": "generationConfig.candidateCount",
    "seed": "generationConfig.seed",
    "text.temperature": "generationConfig.temperature",
    "text.top_p": "generationConfig.topP",
    "text.top_k": "generationConfig.topK",
    "text.max_output_tokens": "generationConfig.maxOutputTokens",
    "text.stop": "generationConfig.stopSequences",
    "text.presence_penalty": "generationConfig.presencePenalty",
    "text.frequency_penalty": "generationConfig.frequencyPenalty",
    "text.top_logprobs": "generationConfig.logprobs",
    "image.aspect_ratio": "generationConfig.imageConfig.aspectRatio",
    "image.resolution": "generationConfig.imageConfig.imageSize",
    "audio.language": "generationConfig.speechConfig.languageCode",
    "extra.cached_content": "cachedContent",
    "extra.media_resolution": "generationConfig.mediaResolution",
    "extra.retrieval_config": "toolConfig.retrievalConfig",
    "extra.safety_settings": "safetySettings",
    "extra.service_tier": "serviceTier",
}
"""Where options go that are passed on as they are."""

PATHS: Final[Mapping[str, str]] = {
    **{place: f"options.{path}" for path, place in FIELDS.items()},
    "contents": "turns",
    "systemInstruction": "turns",
    "tools": "options.text.tools",
    "toolConfig": "options.text.tool_choice",
    "generationConfig.responseJsonSchema": "options.text.json_schema",
    "generationConfig.thinkingConfig": "options.text.reasoning_effort",
}
"""Paths in our request by the vendor's, for errors."""

_CATEGORIES: Final = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT", "CIVIC_INTEGRITY")
_COMMON: Final[dict[str, Schema]] = {
    "seed": {"type": "integer"},
    "text.temperature": {"type": "number", "minimum": 0, "maximum": 2},
    "text.top_p": {"type": "number", "minimum": 0, "maximum": 1},
    "text.top_k": {"type": "integer", "minimum": 1},
    "text.max_output_tokens": {"type": "integer", "minimum": 1},
    "text.stop": {"type": "array", "items": {"type": "string", "minLength": 1}, "maxItems": 5},
    "extra.safety_settings": {
        "type": "array",
        "items": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "category": {"enum": [f"HARM_CATEGORY_{name}" for name in _CATEGORIES]},
                "threshold": {
                    "enum": ["BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF"]
                },
            },
            "required": ["category", "threshold"],
        },
        "description": "What the vendor refuses, by category.",
    },
    "extra.service_tier": {"enum": ["standard", "flex", "priority"]},
    "extra.stream": {
        "type": "boolean",
        "default": True,
        "description": "Whether the vendor is asked for a stream; false asks for the answer in one piece.",
    },
}
_CHAT: Final[dict[str, Schema]] = {
    "candidates": {"type": "integer", "minimum": 1, "maximum": 8},
    "text.presence_penalty": {"type": "number", "minimum": -2, "maximum": 2},
    "text.frequency_penalty": {"type": "number", "minimum": -2, "maximum": 2},
    "text.top_logprobs": {"type": "integer", "minimum": 0, "maximum": 20},
    "extra.cached_content": {
        "type": "string",
        "pattern": "^cachedContents/",
        "description": "Name of content cached at the vendor that the prompt begins with.",
    },
    "extra.count_tokens": {
        "type": "boolean",
        "default": False,
        "description": 'Counts the tokens of the input instead of answering: {"input_tokens": 12}. Costs nothing.',
    },
    "extra.media_resolution": {
        "enum": [f"MEDIA_RESOLUTION_{size}" for size in ("LOW", "MEDIUM", "HIGH")],
        "description": "How closely images and video are looked at, in tokens.",
    },
}
_TOOLS: Final[dict[str, Schema]] = {
    "text.tools": {"type": "array", "items": {"type": "object"}},
    "text.tool_choice": {"enum": ToolChoice.keys()},
    "text.allowed_tools": {"type": "array", "items": {"type": "string"}},
    "extra.retrieval_config": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "languageCode": {"type": "string"},
            "latLng": {
                "type": "object",
                "properties": {"latitude": {"type": "number"}, "longitude": {"type": "number"}},
            },
        },
        "description": "Where and in which language the vendor's own tools look.",
    },
}
_THINKING: Final[dict[str, Schema]] = {
    "text.reasoning_effort": {"enum": ["none", "minimal", "low", "medium", "high", "max"]},
    "text.max_reasoning_tokens": {"type": "integer", "minimum": 0},
    "extra.include_thoughts": {
        "type": "boolean",
        "description": "Whether a summary of the reasoning comes back; by default where reasoning is asked for.",
    },
}
_RATIOS: Final = ("1:1", "1:4", "4:1", "1:8", "8:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
IMAGE: Final[dict[str, Schema]] = {
    **_COMMON,
    "image.aspect_ratio": {"enum": list(_RATIOS)},
    "image.resolution": {"enum": ["512", "1K", "2K", "4K"]},
    "image.previews": {
        "type": "integer",
        "minimum": 0,
        "description": "The drafts a model makes while it thinks, as many as it makes up to this number.",
    },
}
"""Of models that make images."""
SPEECH: Final[dict[str, Schema]] = {
    "seed": _COMMON["seed"],
    "text.temperature": _COMMON["text.temperature"],
    "audio.voice": {"type": "string", "description": 'One of the vendor\'s voices ("Kore", "Puck").'},
    "audio.language": {"type": "string"},
    "audio.speakers": {
        "type": "array",
        "maxItems": 2,
        "items": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"name": {"type": "string", "minLength": 1}, "voice": {"type": "string", "minLength": 1}},
            "required": ["name", "voice"],
        },
    },
    "extra.safety_settings": _COMMON["extra.safety_settings"],
    "extra.service_tier": _COMMON["extra.service_tier"],
}
"""Of models that speak."""


def chat_options(features: Sequence[str]) -> dict[str, Schema]:
    """Of models that converse, by their features."""
    options = {**_COMMON, **_CHAT}
    if "tools" in features:
        options |= _TOOLS
    if "json-schema" in features:
        options["text.json_schema"] = {"type": "string"}
    if "reasoning" in features:
        options |= _THINKING
    return options


def passed_on(call: Call) -> dict[str, Any]:
    """A request with the options of a call that go as they are; absent ones stay absent."""
    request: dict[str, Any] = {}
    for path, where in FIELDS.items():
        if path in call.model.options and (value := call.option(path)) is not None:
            place(request, where, value)
    return request
