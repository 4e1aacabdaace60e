"""Tools in the vendor's terms."""

from __future__ import annotations

from typing import Any, Final

from mediaconduit.v1.options_pb2 import TextOptions, Tool, ToolChoice
from mediaconduit_provider import InvalidRequestError
from mediaconduit_provider.values import struct_to_plain

from mediaconduit_vendors.content import parsed_schema

HOSTED: Final = {
    "google_search": "googleSearch",
    "google_search_retrieval": "googleSearchRetrieval",
    "google_maps": "googleMaps",
    "code_execution": "codeExecution",
    "url_context": "urlContext",
    "file_search": "fileSearch",
    "computer_use": "computerUse",
    "web_search": "googleSearch",
}
"""Members of the vendor's Tool by the names its tools are asked for."""
_MODES: Final = {ToolChoice.TOOL_CHOICE_NONE: "NONE", ToolChoice.TOOL_CHOICE_REQUIRED: "ANY"}


def tools_of(text: TextOptions) -> list[dict[str, Any]]:
    """ "tools": functions of the caller's in one, those that the vendor runs in one each.

    Raises:
        InvalidRequestError: For a tool that the vendor does not have.
    """
    if unknown := sorted(set(text.allowed_tools) - {tool.name for tool in text.tools}):
        raise InvalidRequestError.at("options.text.allowed_tools", f"no such tool: {', '.join(unknown)}")
    functions, hosted = [], []
    for number, tool in enumerate(text.tools):
        where = f"options.text.tools[{number}]"
        if not tool.hosted_tool:
            functions.append(_function(tool, where))
        elif not text.allowed_tools or tool.name in text.allowed_tools:
            hosted.append(_hosted(tool, where))
    return ([{"functionDeclarations": functions}] if functions else []) + hosted


def _function(tool: Tool, where: str) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name, "description": tool.description or tool.name}
    if tool.parameters_schema:
        schema = parsed_schema(tool.parameters_schema, f"{where}.parameters_schema")
        function["parametersJsonSchema"] = schema
    return function | struct_to_plain(tool.extra)


def _hosted(tool: Tool, where: str) -> dict[str, Any]:
    member = HOSTED.get(tool.hosted_tool)
    if member is None:
        known = ", ".join(HOSTED)
        raise InvalidRequestError.at(f"{where}.hosted_tool", f"this vendor runs no {tool.hosted_tool}; it runs {known}")
    return {member: struct_to_plain(tool.extra)}


def tool_config(text: TextOptions) -> dict[str, Any]:
    """ "toolConfig"; empty where the vendor's default is meant or no function is given."""
    functions = [tool for tool in text.tools if not tool.hosted_tool]
    if not functions:
        return {}
    config: dict[str, Any] = {}
    if mode := _MODES.get(text.tool_choice):
        config["mode"] = mode
    elif any(tool.strict for tool in functions):
        config["mode"] = "VALIDATED"
    if text.allowed_tools and config.get("mode") != "NONE":
        # Names only count where a function is called at all, or its arguments are held to the schema.
        config = {"mode": "VALIDATED", **config}
        config["allowedFunctionNames"] = [tool.name for tool in functions if tool.name in text.allowed_tools]
    return {"functionCallingConfig": config} if config else {}
