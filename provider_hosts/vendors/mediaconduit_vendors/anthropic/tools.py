"""Tools in the vendor's terms: the caller's, and those that the vendor defines or runs itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from google.protobuf.duration_pb2 import Duration
from mediaconduit.v1.options_pb2 import TextOptions, Tool, ToolChoice
from mediaconduit_provider import InvalidRequestError
from mediaconduit_provider.values import struct_to_plain

from mediaconduit_vendors.content import parsed_schema

HOSTED: Final = {
    "web_search": "web_search_20250305",
    "web_fetch": "web_fetch_20250910",
    "code_execution": "code_execution_20250825",
    "tool_search_tool_bm25": "tool_search_tool_bm25_20251119",
    "tool_search_tool_regex": "tool_search_tool_regex_20251119",
    "bash": "bash_20250124",
    "memory": "memory_20250818",
    "text_editor": "text_editor_20250728",
}
"""Types of the vendor's tools by the names they are asked for, in the version that most models take. A full type may be
asked for as well ("web_search_20260209")."""

_EDITORS: Final = {"text_editor_20250124": "str_replace_editor"}
_EDITOR: Final = "str_replace_based_edit_tool"
_DATED: Final = re.compile(r"([a-z0-9_]+?)_(\d{8})")
_SHORT: Final = 300
"""Seconds that the vendor caches for unless asked for its one longer time, an hour."""


def tools_of(text: TextOptions) -> list[dict[str, Any]]:
    """The tools the model may call now. Raises `InvalidRequestError` for what the vendor cannot take."""
    if unknown := sorted(set(text.allowed_tools) - {tool.name for tool in text.tools}):
        raise InvalidRequestError.at("options.text.allowed_tools", f"no such tool: {', '.join(unknown)}")
    return list(_tools(text))


def _tools(text: TextOptions) -> Iterator[dict[str, Any]]:
    for number, tool in enumerate(text.tools):
        if not text.allowed_tools or tool.name in text.allowed_tools:
            where = f"options.text.tools[{number}]"
            yield _hosted(tool) if tool.hosted_tool else _own(tool, where)


def _own(tool: Tool, where: str) -> dict[str, Any]:
    """A tool that the caller runs."""
    if not tool.parameters_schema:
        raise InvalidRequestError.at(f"{where}.parameters_schema", "this vendor's tools need a schema of arguments")
    described: dict[str, Any] = {
        "name": tool.name,
        "input_schema": parsed_schema(tool.parameters_schema, f"{where}.parameters_schema"),
    }
    if tool.description:
        described["description"] = tool.description
    return described | _common(tool)


def _hosted(tool: Tool) -> dict[str, Any]:
    """A tool of the vendor's."""
    kind = HOSTED.get(tool.hosted_tool, tool.hosted_tool)
    dated = _DATED.fullmatch(kind)
    name = dated[1] if dated else kind
    if name == "text_editor":
        name = _EDITORS.get(kind, _EDITOR)
    return {"type": kind, "name": name} | _common(tool)


def _common(tool: Tool) -> dict[str, Any]:
    """What all tools may have; `Tool.extra` is the vendor's own ("max_uses", "eager_input_streaming")."""
    common: dict[str, Any] = struct_to_plain(tool.extra)
    if tool.HasField("strict"):
        common["strict"] = tool.strict
    if tool.HasField("cache_ttl"):
        common["cache_control"] = cache_control(tool.cache_ttl)
    return common


def cache_control(ttl: Duration) -> dict[str, str]:
    """A mark that ends a prefix worth caching, for the nearest time that the vendor has."""
    return {"type": "ephemeral", "ttl": "5m" if ttl.seconds <= _SHORT else "1h"}


def tool_choice(text: TextOptions) -> dict[str, Any]:
    """Whether tools are called: one that is required and the only one allowed is named."""
    if text.tool_choice == ToolChoice.TOOL_CHOICE_NONE:
        return {"type": "none"}
    choice: dict[str, Any] = {"type": "auto"}
    if text.tool_choice == ToolChoice.TOOL_CHOICE_REQUIRED:
        only = text.allowed_tools[0] if len(text.allowed_tools) == 1 else ""
        choice = {"type": "tool", "name": only} if only else {"type": "any"}
    if text.HasField("parallel_tool_calls"):
        choice["disable_parallel_tool_use"] = not text.parallel_tool_calls
    return choice
