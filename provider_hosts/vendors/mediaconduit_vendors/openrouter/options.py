"""What a model takes, by the parameters that OpenRouter lists for it."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any, Final

from mediaconduit_vendors.openai.options import CHAT
from mediaconduit_vendors.options import Schema

_STRING: Final[Schema] = {"type": "string"}
_STRINGS: Final[Schema] = {"type": "array", "items": _STRING}
_CUTOFFS: Final[Schema] = {
    "anyOf": [
        {"type": "number", "minimum": 0},
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {name: {"type": "number", "minimum": 0} for name in ("p50", "p75", "p90", "p99")},
        },
    ]
}
_SORTS: Final = ("price", "throughput", "latency", "exacto")
_PRICES: Final = ("prompt", "completion", "image", "audio", "request")
EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""Words for how hard a model thinks."""

IMAGE_ROUTING: Final[Mapping[str, Schema]] = {
    "extra.provider.order": _STRINGS,
    "extra.provider.only": _STRINGS,
    "extra.provider.ignore": _STRINGS,
    "extra.provider.allow_fallbacks": {"type": "boolean"},
    "extra.provider.sort": {
        "anyOf": [
            {"enum": list(_SORTS)},
            {
                "type": "object",
                "additionalProperties": False,
                "properties": {"by": {"enum": list(_SORTS)}, "partition": {"enum": ["model", "none"]}},
            },
        ]
    },
}
"""Who serves a request for images."""
ROUTING: Final[Mapping[str, Schema]] = {
    **IMAGE_ROUTING,
    "extra.provider.require_parameters": {"type": "boolean"},
    "extra.provider.data_collection": {"enum": ["allow", "deny"]},
    "extra.provider.zdr": {"type": "boolean"},
    "extra.provider.enforce_distillable_text": {"type": "boolean"},
    "extra.provider.quantizations": {
        "type": "array",
        "items": {
            "enum": ["int4", "int8", "fp4", "mxfp4", "nvfp4", "fp6", "fp8", "mxfp8", "fp16", "bf16", "fp32", "unknown"],
        },
    },
    "extra.provider.max_price": {
        "type": "object",
        "additionalProperties": False,
        "properties": dict.fromkeys(_PRICES, _STRING),
    },
    "extra.provider.preferred_max_latency": _CUTOFFS,
    "extra.provider.preferred_min_throughput": _CUTOFFS,
    "extra.models": {"type": "array", "items": _STRING, "minItems": 1},
}
"""Who serves a chat, and which models are tried when the one asked for cannot."""
ALWAYS: Final[Mapping[str, Schema]] = {
    **ROUTING,
    "extra.plugins": {
        "type": "array",
        "items": {"type": "object", "required": ["id"], "properties": {"id": _STRING}},
    },
    "extra.service_tier": {"enum": ["auto", "default", "fast", "flex", "priority", "scale"]},
    "extra.session_id": {"type": "string", "maxLength": 256},
    "extra.prompt_cache_key": _STRING,
    "extra.user": _STRING,
    "extra.metadata": {"type": "object", "maxProperties": 16, "additionalProperties": _STRING},
    "extra.trace": {"type": "object"},
}
"""What every chat takes."""
_TOOLS: Final = ("text.tools", "text.tool_choice", "text.allowed_tools")
_REASONING: Final = ("text.reasoning_effort", "extra.reasoning.summary")
PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {
    "temperature": ("text.temperature",),
    "top_p": ("text.top_p",),
    "top_k": ("text.top_k",),
    "min_p": ("extra.min_p",),
    "top_a": ("extra.top_a",),
    "frequency_penalty": ("text.frequency_penalty",),
    "presence_penalty": ("text.presence_penalty",),
    "repetition_penalty": ("extra.repetition_penalty",),
    "max_tokens": ("text.max_output_tokens",),
    "max_completion_tokens": ("text.max_output_tokens",),
    "logit_bias": ("extra.logit_bias",),
    "logprobs": ("text.top_logprobs",),
    "top_logprobs": ("text.top_logprobs",),
    "prediction": ("extra.prediction",),
    "seed": ("seed",),
    "response_format": ("text.json_schema",),
    "structured_outputs": ("text.json_schema",),
    "stop": ("text.stop",),
    "tools": _TOOLS,
    "tool_choice": _TOOLS,
    "parallel_tool_calls": ("text.parallel_tool_calls",),
    "reasoning": _REASONING,
    "include_reasoning": _REASONING,
    "reasoning_effort": _REASONING,
}
"""Options by the parameters of OpenRouter's list."""
DRAWN: Final[Mapping[str, Schema]] = {
    "image.aspect_ratio": _STRING,
    "image.resolution": _STRING,
    "extra.image_config": {"type": "object"},
}
"""What a chat that makes images takes too."""
CHAT_OPTIONS: Final[Mapping[str, Schema]] = {
    **{path: schema for path, schema in CHAT.items() if path != "candidates"},
    **ALWAYS,
    **DRAWN,
    "text.top_k": {"type": "integer", "minimum": 0},
    "text.reasoning_effort": {"enum": list(EFFORTS)},
    "text.max_reasoning_tokens": {"type": "integer", "minimum": 1},
    "extra.reasoning.summary": {"enum": ["auto", "concise", "detailed"]},
    "extra.min_p": {"type": "number", "minimum": 0, "maximum": 1},
    "extra.top_a": {"type": "number", "minimum": 0, "maximum": 1},
    "extra.repetition_penalty": {"type": "number", "minimum": 0, "maximum": 2},
    "extra.logit_bias": {"type": "object", "additionalProperties": {"type": "number"}},
    "extra.prediction": {"type": "object", "required": ["type", "content"]},
}
"""What chats take between them."""


def chat_options(entry: Mapping[str, Any]) -> Mapping[str, Schema]:
    """The options of a chat model of the list; those of models with the same parameters are the same object."""
    reasoning = entry.get("reasoning") or {}
    return _options(
        tuple(sorted(entry.get("supported_parameters") or ())),
        tuple(effort for effort in reasoning.get("supported_efforts") or () if effort),
        bool(reasoning.get("supports_max_tokens")),
        "image" in ((entry.get("architecture") or {}).get("output_modalities") or ()),
    )


@functools.cache
def _options(parameters: Iterable[str], efforts: tuple[str, ...], budget: bool, draws: bool) -> Mapping[str, Schema]:
    paths = {path for name in parameters for path in PARAMETERS.get(name, ())}
    if budget:
        paths.add("text.max_reasoning_tokens")
    if draws:
        paths.update(DRAWN)
    found = {path: schema for path, schema in CHAT_OPTIONS.items() if path in paths or path in ALWAYS}
    if efforts and "text.reasoning_effort" in found:
        found["text.reasoning_effort"] = {"enum": [word for word in EFFORTS if word in efforts]}
    return found
