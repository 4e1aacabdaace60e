"""A call as the engine wants it: the request of OpenAI's chat completions with llama.cpp's own fields. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from mediaconduit.v1.options_pb2 import TextOptions, Tool, ToolChoice
from mediaconduit_provider import Call, InvalidRequestError, Part, Role, Turn

ROLES = {
    Role.ROLE_UNSPECIFIED: "user",
    Role.ROLE_SYSTEM: "system",
    Role.ROLE_USER: "user",
    Role.ROLE_ASSISTANT: "assistant",
    Role.ROLE_TOOL: "tool",
}
CHOICES = {
    ToolChoice.TOOL_CHOICE_UNSPECIFIED: "auto",
    ToolChoice.TOOL_CHOICE_NONE: "none",
    ToolChoice.TOOL_CHOICE_REQUIRED: "required",
}
OPTIONS: dict[str, dict[str, Any]] = {
    "seed": {"type": "integer", "minimum": 0, "maximum": 2**32 - 2},
    "text.temperature": {"type": "number", "minimum": 0, "maximum": 5},
    "text.top_p": {"type": "number", "minimum": 0, "maximum": 1},
    "text.top_k": {"type": "integer", "minimum": 0},
    "text.max_output_tokens": {"type": "integer", "minimum": 1},
    "text.stop": {"type": "array", "items": {"type": "string", "minLength": 1}, "maxItems": 16},
    "text.presence_penalty": {"type": "number", "minimum": -2, "maximum": 2},
    "text.frequency_penalty": {"type": "number", "minimum": -2, "maximum": 2},
    "text.json_schema": {"type": "string"},
    "text.tools": {"type": "array", "items": {"type": "object"}, "maxItems": 128},
    "text.tool_choice": {"enum": [ToolChoice.Name(choice) for choice in CHOICES]},
    "text.allowed_tools": {"type": "array", "items": {"type": "string"}},
    "text.top_logprobs": {"type": "integer", "minimum": 0, "maximum": 20},
    "extra.min_p": {"type": "number", "minimum": 0, "maximum": 1},
    "extra.repeat_penalty": {"type": "number", "exclusiveMinimum": 0, "maximum": 10},
}
"""What the engine can do, by path in TransformOptions. Defaults are the model's own: a file may bring some."""

_PLAIN = {
    "seed": "seed",
    "text.temperature": "temperature",
    "text.top_p": "top_p",
    "text.top_k": "top_k",
    "text.max_output_tokens": "max_tokens",
    "text.presence_penalty": "presence_penalty",
    "text.frequency_penalty": "frequency_penalty",
    "extra.min_p": "min_p",
    "extra.repeat_penalty": "repeat_penalty",
}
"""Options that are passed on as they are, under the engine's names."""


def chat_request(call: Call, *, as_json: bool) -> dict[str, Any]:
    """The request for a call. Raises `InvalidRequestError` for what the engine cannot take."""
    text = call.options.text
    request: dict[str, Any] = {
        "messages": [message for number, turn in enumerate(call.turns) for message in messages(turn, number)],
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,
        "cache_prompt": True,
    }
    request |= {to: value for path, to in _PLAIN.items() if (value := call.option(path)) is not None}
    if text.stop:
        request["stop"] = list(text.stop)
    if text.HasField("top_logprobs"):
        # With 0 alternatives the engine would give no probabilities at all.
        request |= {"logprobs": True, "top_logprobs": max(1, text.top_logprobs)}
    if as_json:
        request["response_format"] = _response_format(text)
    if text.tools:
        request |= {"tools": tools(text), "tool_choice": CHOICES[text.tool_choice]}
    return request


def messages(turn: Turn, number: int) -> Iterator[dict[str, Any]]:
    """A turn as messages: results of tools are one message each."""
    said: list[str] = []
    message: dict[str, Any] = {"role": ROLES[turn.role], "content": ""}
    for index, part in enumerate(turn.parts):
        match part.WhichOneof("content"):
            case "text":
                said.append(part.text)
            case "tool_call":
                function = {"name": part.tool_call.name, "arguments": part.tool_call.arguments}
                calls = message.setdefault("tool_calls", [])
                calls.append({"id": part.tool_call.id, "type": "function", "function": function})
            case "tool_result":
                answer = text_of(part.tool_result.parts, f"turns[{number}].parts[{index}].tool_result")
                yield {"role": "tool", "tool_call_id": part.tool_result.call_id, "content": answer}
            case "reasoning":
                message["reasoning_content"] = message.get("reasoning_content", "") + part.reasoning.text
            case _:
                raise _no_text(f"turns[{number}].parts[{index}]")
    if said or "tool_calls" in message:
        yield message | {"content": "\n".join(said)}


def text_of(parts: Sequence[Part], where: str) -> str:
    """The text of parts that may only be text."""
    for index, part in enumerate(parts):
        if part.WhichOneof("content") != "text":
            raise _no_text(f"{where}.parts[{index}]")
    return "\n".join(part.text for part in parts)


def items(turns: Sequence[Turn]) -> list[str]:
    """The texts to embed, one of each user turn, each after the text of the system turns ("query: ")."""
    framed = "".join(
        text_of(turn.parts, f"turns[{n}]") for n, turn in enumerate(turns) if turn.role == Role.ROLE_SYSTEM
    )
    texts = []
    for number, turn in enumerate(turns):
        if turn.role in (Role.ROLE_USER, Role.ROLE_UNSPECIFIED):
            text = text_of(turn.parts, f"turns[{number}]")
            if not text:
                raise InvalidRequestError.at(f"turns[{number}]", "is empty; there is nothing to embed")
            texts.append(framed + text)
    if not texts:
        raise InvalidRequestError.at("turns", "there is no user turn to embed")
    return texts


def tools(text: TextOptions) -> list[dict[str, Any]]:
    """The tools the model may call now."""
    if unknown := sorted(set(text.allowed_tools) - {tool.name for tool in text.tools}):
        raise InvalidRequestError.at("options.text.allowed_tools", f"no such tool: {', '.join(unknown)}")
    return [
        _tool(tool, f"options.text.tools[{number}]")
        for number, tool in enumerate(text.tools)
        if not text.allowed_tools or tool.name in text.allowed_tools
    ]


def _tool(tool: Tool, where: str) -> dict[str, Any]:
    if tool.hosted_tool:
        raise InvalidRequestError.at(f"{where}.hosted_tool", "this engine runs no tools itself")
    if not tool.parameters_schema:
        raise InvalidRequestError.at(f"{where}.parameters_schema", "this engine needs a JSON Schema of the arguments")
    schema = _schema(tool.parameters_schema, f"{where}.parameters_schema")
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": schema},
    }


def _response_format(text: TextOptions) -> dict[str, Any]:
    schema = _schema(text.json_schema or "{}", "options.text.json_schema")
    if not schema:
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}


def _schema(text: str, where: str) -> dict[str, Any]:
    try:
        schema = json.loads(text)
    except ValueError as error:
        raise InvalidRequestError.at(where, f"is not JSON: {error}") from None
    if not isinstance(schema, dict):
        raise InvalidRequestError.at(where, "is not a JSON Schema: it must be an object")
    return schema


def _no_text(where: str) -> InvalidRequestError:
    return InvalidRequestError.at(where, "this model takes text only")
