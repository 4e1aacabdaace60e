"""The shared options of a chat and what OpenAI's style calls them. Vendors take away and add."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mediaconduit.v1.options_pb2 import ToolChoice
from mediaconduit_provider import Call

Schema = Mapping[str, Any]

CHAT: Final[Mapping[str, Schema]] = {
    "seed": {"type": "integer"},
    "candidates": {"type": "integer", "minimum": 1, "maximum": 128},
    "text.temperature": {"type": "number", "minimum": 0, "maximum": 2},
    "text.top_p": {"type": "number", "minimum": 0, "maximum": 1},
    "text.max_output_tokens": {"type": "integer", "minimum": 1},
    "text.stop": {"type": "array", "items": {"type": "string", "minLength": 1}, "maxItems": 4},
    "text.presence_penalty": {"type": "number", "minimum": -2, "maximum": 2},
    "text.frequency_penalty": {"type": "number", "minimum": -2, "maximum": 2},
    "text.json_schema": {"type": "string"},
    "text.tools": {"type": "array", "items": {"type": "object"}, "maxItems": 128},
    "text.tool_choice": {"enum": ToolChoice.keys()},
    "text.allowed_tools": {"type": "array", "items": {"type": "string"}},
    "text.parallel_tool_calls": {"type": "boolean"},
    "text.reasoning_effort": {"enum": ["none", "minimal", "low", "medium", "high", "max"]},
    "text.top_logprobs": {"type": "integer", "minimum": 0, "maximum": 20},
}
"""What a chat takes, by path in TransformOptions."""

CHAT_FIELDS: Final[Mapping[str, str]] = {
    "seed": "seed",
    "candidates": "n",
    "text.temperature": "temperature",
    "text.top_p": "top_p",
    "text.top_k": "top_k",
    "text.max_output_tokens": "max_completion_tokens",
    "text.stop": "stop",
    "text.presence_penalty": "presence_penalty",
    "text.frequency_penalty": "frequency_penalty",
    "text.parallel_tool_calls": "parallel_tool_calls",
    "text.reasoning_effort": "reasoning_effort",
}
"""Options that are passed on as they are, under the vendor's names."""


def without(options: Mapping[str, Schema], *paths: str) -> dict[str, Schema]:
    """Options a vendor lacks taken away."""
    return {path: schema for path, schema in options.items() if path not in paths}


def passed_on(call: Call, fields: Mapping[str, str]) -> dict[str, Any]:
    """The options of a call under the vendor's names, and its own under theirs; absent ones stay absent."""
    request = {name: value for path, name in fields.items() if (value := call.option(path)) is not None}
    for path in call.model.options:
        if path.startswith("extra.") and (value := call.option(path)) is not None:
            place(request, path.removeprefix("extra."), value)
    return request


def place(request: dict[str, Any], path: str, value: Any) -> None:
    """Sets a value at a path of names ("provider.order")."""
    *groups, name = path.split(".")
    for group in groups:
        request = request.setdefault(group, {})
    request[name] = value


def paths_by_field(fields: Mapping[str, str]) -> dict[str, str]:
    """Paths in our request by the vendor's names, for errors."""
    return {name: f"options.{path}" for path, name in fields.items()} | {"messages": "turns", "model": "model"}
