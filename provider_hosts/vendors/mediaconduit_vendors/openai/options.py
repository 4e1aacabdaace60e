"""The shared options of a chat and what OpenAI's style calls them. Vendors take away and add."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mediaconduit.v1.options_pb2 import ToolChoice

from mediaconduit_vendors.options import Schema, passed_on, paths_by_field, place, without

__all__ = ["CHAT", "CHAT_FIELDS", "Schema", "passed_on", "paths_by_field", "place", "without"]

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
