"""What Ollama's models take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mediaconduit.v1.options_pb2 import TextOptions
from mediaconduit_provider import Call

from mediaconduit_vendors.content import parsed_schema
from mediaconduit_vendors.options import Schema

TEXT: Final[Mapping[str, Schema]] = {
    "seed": {"type": "integer"},
    "text.temperature": {"type": "number", "minimum": 0},
    "text.top_p": {"type": "number", "minimum": 0, "maximum": 1},
    "text.top_k": {"type": "integer", "minimum": 0},
    "text.max_output_tokens": {"type": "integer", "minimum": 1},
    "text.stop": {"type": "array", "items": {"type": "string", "minLength": 1}},
    "text.json_schema": {"type": "string"},
    "text.top_logprobs": {"type": "integer", "minimum": 0, "maximum": 20},
    "extra.min_p": {"type": "number", "minimum": 0, "maximum": 1},
    "extra.num_ctx": {"type": "integer", "minimum": 1, "description": "Tokens of context to load the model with."},
    "extra.keep_alive": {
        "type": ["string", "number"],
        "description": 'How long the model stays in memory after the call: "5m", seconds, 0 = not at all.',
    },
}
"""Chat and completion."""
TOOLS: Final[Mapping[str, Schema]] = {
    "text.tools": {"type": "array", "items": {"type": "object"}, "maxItems": 128},
    "text.allowed_tools": {"type": "array", "items": {"type": "string"}},
}
THINKING: Final[Mapping[str, Schema]] = {
    "text.reasoning_effort": {"enum": ["none", "minimal", "low", "medium", "high", "max"]}
}
COMPLETION: Final[Mapping[str, Schema]] = {
    "extra.suffix": {
        "type": "string",
        "description": "Text after the one to be written: what is between is filled in.",
    },
    "extra.raw": {"type": "boolean", "description": "Give the model the text as it stands, without its template."},
}
"""What makes a call a completion instead of a chat."""
EMBEDDING: Final[Mapping[str, Schema]] = {
    "embedding.dimensions": {"type": "integer", "minimum": 1},
    "extra.truncate": {"type": "boolean", "description": "Cut texts that are too long instead of refusing them."},
    "extra.num_ctx": TEXT["extra.num_ctx"],
    "extra.keep_alive": {"type": "string"},
}
FIELDS: Final[Mapping[str, str]] = {
    "seed": "seed",
    "text.temperature": "temperature",
    "text.top_p": "top_p",
    "text.top_k": "top_k",
    "text.max_output_tokens": "num_predict",
    "text.stop": "stop",
    "extra.min_p": "min_p",
    "extra.num_ctx": "num_ctx",
}
"""Options of the engine, by their names in ``options``."""


def engine_options(call: Call) -> dict[str, Any]:
    """``options`` and ``keep_alive`` of a request, where the call has any."""
    options = {name: value for path, name in FIELDS.items() if (value := call.option(path)) is not None}
    keep_alive = call.option("extra.keep_alive")
    return {
        **({"options": options} if options else {}),
        **({"keep_alive": keep_alive} if keep_alive is not None else {}),
    }


def shape(text: TextOptions) -> dict[str, Any]:
    """How the answer must look, and whether probabilities come with it."""
    request: dict[str, Any] = {}
    if text.json_schema:
        request["format"] = parsed_schema(text.json_schema, "options.text.json_schema") or "json"
    if text.HasField("top_logprobs"):
        request |= {"logprobs": True, "top_logprobs": text.top_logprobs}
    return request


def think(call: Call) -> dict[str, Any]:
    """Whether and how hard the model thinks first. Only some models know degrees, and those want to be told one."""
    effort = call.options.text.reasoning_effort
    if not effort:
        return {}
    if effort == "none":
        return {"think": False}
    if "reasoning-effort" not in call.model.features:
        return {"think": True}
    return {"think": "low" if effort == "minimal" else effort}
