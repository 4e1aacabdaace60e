"""The options of a message, by what its model takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from mediaconduit.v1.options_pb2 import ToolChoice

from mediaconduit_vendors.anthropic.abilities import Abilities
from mediaconduit_vendors.options import Schema

FIELDS: Final = {
    "text.temperature": "temperature",
    "text.top_p": "top_p",
    "text.top_k": "top_k",
    "text.stop": "stop_sequences",
    "extra.cache_control": "cache_control",
    "extra.container": "container",
    "extra.inference_geo": "inference_geo",
    "extra.metadata.user_id": "metadata.user_id",
    "extra.service_tier": "service_tier",
}
"""Options that are passed on as they are, under the vendor's names."""

PATHS: Final = {
    **{name: f"options.{path}" for path, name in FIELDS.items()},
    "max_tokens": "options.text.max_output_tokens",
    "messages": "turns",
    "model": "model",
    "output_config.effort": "options.text.reasoning_effort",
    "output_config.format": "options.text.json_schema",
    "system": "turns",
    "thinking": "options.text.max_reasoning_tokens",
    "tool_choice": "options.text.tool_choice",
    "tools": "options.text.tools",
}
"""Paths in our request by the vendor's names, for errors."""

_COMMON: Final[dict[str, Schema]] = {
    "text.max_output_tokens": {"type": "integer", "minimum": 1, "description": "Reasoning counts towards it."},
    "text.stop": {"type": "array", "items": {"type": "string", "minLength": 1}},
    "text.tools": {"type": "array", "items": {"type": "object"}},
    "text.tool_choice": {"enum": ToolChoice.keys()},
    "text.allowed_tools": {"type": "array", "items": {"type": "string"}},
    "text.parallel_tool_calls": {"type": "boolean"},
    "extra.betas": {
        "type": "array",
        "items": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
        "description": 'Names of beta features to switch on ("files-api-2025-04-14").',
    },
    "extra.cache_control": {
        "type": "object",
        "additionalProperties": False,
        "properties": {"type": {"const": "ephemeral"}, "ttl": {"enum": ["5m", "1h"]}},
        "required": ["type"],
        "description": "Caches all of the prompt that can be cached, without marks on its parts.",
    },
    "extra.citations": {"type": "boolean", "description": "The answer cites the documents of the input."},
    "extra.container": {"type": "string", "description": "Container of an earlier answer that code is to run in."},
    "extra.count_tokens": {
        "type": "boolean",
        "default": False,
        "description": 'Counts the tokens of the input instead of answering: {"input_tokens": 12}. Costs nothing.',
    },
    "extra.inference_geo": {"type": "string", "description": "Region in which the model runs."},
    "extra.metadata.user_id": {
        "type": "string",
        "maxLength": 512,
        "description": "Opaque id of the person asking; no name, no address.",
    },
    "extra.service_tier": {"enum": ["auto", "standard_only"]},
}
_SAMPLING: Final[dict[str, Schema]] = {
    "text.temperature": {"type": "number", "minimum": 0, "maximum": 1},
    "text.top_p": {"type": "number", "minimum": 0, "maximum": 1},
    "text.top_k": {"type": "integer", "minimum": 0},
}
_EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "max")


def options_of(abilities: Abilities, features: Sequence[str]) -> dict[str, Schema]:
    """As `Model.options`.

    Args:
        abilities: Of the model.
        features: Of the model, in the contract's words.
    """
    options: dict[str, Any] = dict(_COMMON)
    if abilities.sampling:
        options |= _SAMPLING
    if "json-schema" in features:
        options["text.json_schema"] = {"type": "string"}
    if "reasoning" in features:
        options["text.reasoning_effort"] = {"enum": list(_EFFORTS)}
        options["extra.thinking.display"] = {
            "enum": ["summarized", "omitted"],
            "description": "Whether reasoning can be read, or only be sent back.",
        }
        if abilities.budget:
            options["text.max_reasoning_tokens"] = {"type": "integer", "minimum": 1024}
    return options
