"""Chat, and completion of a text."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from typing import Any, Final

from mediaconduit.v1.options_pb2 import TextOptions
from mediaconduit_provider import Call, Facts, FinishReason, InvalidRequestError, Part, Role, Turn, Usage
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.answer import Answer
from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.content import Inputs, media_type_of, parsed_schema, prompt_of, text_in, text_only
from mediaconduit_vendors.ollama.options import FIELDS, engine_options, shape, think
from mediaconduit_vendors.openai.logprobs import token_logprobs
from mediaconduit_vendors.options import paths_by_field
from mediaconduit_vendors.reply import lost
from mediaconduit_vendors.usage import usage_of

_ROLES: Final = {
    Role.ROLE_UNSPECIFIED: "user",
    Role.ROLE_SYSTEM: "system",
    Role.ROLE_USER: "user",
    Role.ROLE_ASSISTANT: "assistant",
    Role.ROLE_TOOL: "tool",
}
_FINISHES: Final = {
    "stop": FinishReason.FINISH_REASON_STOP,
    "length": FinishReason.FINISH_REASON_LENGTH,
}


async def text(api: Api, call: Call) -> AsyncGenerator[Yielded, None]:
    """``POST /api/chat``; ``POST /api/generate`` where the call asks for a completion."""
    completes = call.option("extra.suffix") is not None or call.option("extra.raw")
    path, body = ("/api/generate", await completion(call)) if completes else ("/api/chat", await chat(call))
    answer = Answer(call)
    request = Request("POST", path, json=body, fields=paths_by_field(FIELDS), remaining=call.remaining())
    async with api.open(request) as reply:
        yield Facts(vendor_model=call.model.id)
        async with aclosing(reply.lines()) as lines:
            async for line in lines:
                if "error" in line:
                    raise reply.failure(line)
                for yielded in read(line, answer):
                    yield yielded
    if not answer.finished:
        raise lost()
    for yielded in answer.end():
        yield yielded


# -- what is sent -----------------------------------------------------------------------------------------------------


async def chat(call: Call) -> dict[str, Any]:
    """The body of a chat. Raises `InvalidRequestError` for what the vendor cannot take."""
    options, inputs = call.options.text, Inputs(call)
    messages = [message for number, turn in enumerate(call.turns) for message in await _messages(turn, number, inputs)]
    return {
        "model": call.model.id,
        "messages": messages,
        "stream": True,
        **({"tools": list(_tools(options))} if options.tools else {}),
        **think(call),
        **shape(options),
        **engine_options(call),
    }


async def completion(call: Call) -> dict[str, Any]:
    """The body of a completion."""
    inputs, images = Inputs(call), []
    for number, turn in enumerate(call.turns):
        images += [
            await inputs.base64(part, f"turns[{number}].parts[{index}]")
            for index, part in enumerate(turn.parts)
            if media_type_of(part).startswith("image/")
        ]
    suffix, raw = call.option("extra.suffix"), call.option("extra.raw")
    return {
        "model": call.model.id,
        "prompt": prompt_of(call, framed=False),
        "stream": True,
        **({"system": call.system} if call.system else {}),
        **({"suffix": suffix} if suffix is not None else {}),
        **({"raw": True} if raw else {}),
        **({"images": images} if images else {}),
        **think(call),
        **shape(call.options.text),
        **engine_options(call),
    }


async def _messages(turn: Turn, number: int, inputs: Inputs) -> list[dict[str, Any]]:
    """A turn as messages: results of tools are one message each."""
    said: list[str] = []
    more: dict[str, Any] = {}
    found: list[dict[str, Any]] = []
    for index, part in enumerate(turn.parts):
        field = f"turns[{number}].parts[{index}]"
        if part.HasField("tool_result"):
            answer = text_only(part.tool_result.parts, f"{field}.tool_result")
            found.append({"role": "tool", "content": answer})
        elif part.HasField("tool_call"):
            more.setdefault("tool_calls", []).append(_tool_call(part, field))
        elif media_type_of(part).startswith("image/"):
            more.setdefault("images", []).append(await inputs.base64(part, field))
        elif (text := text_in(part)) or part.WhichOneof("content") in ("text", "reasoning"):
            said.append(text)  # a model's own reasoning is not given back
        else:
            raise InvalidRequestError.at(field, "this model takes text and images")
    if said or more:
        found.append({"role": _ROLES[turn.role], "content": "\n".join(filter(None, said)), **more})
    return found


def _tool_call(part: Part, field: str) -> dict[str, Any]:
    try:
        arguments = json.loads(part.tool_call.arguments or "{}")
    except ValueError as error:
        raise InvalidRequestError.at(f"{field}.tool_call.arguments", f"is not JSON: {error}") from None
    return {"function": {"name": part.tool_call.name, "arguments": arguments}}


def _tools(options: TextOptions) -> Iterator[dict[str, Any]]:
    for number, tool in enumerate(options.tools):
        where = f"options.text.tools[{number}]"
        if options.allowed_tools and tool.name not in options.allowed_tools:
            continue
        if tool.hosted_tool:
            raise InvalidRequestError.at(f"{where}.hosted_tool", "this engine runs no tools itself")
        parameters = parsed_schema(tool.parameters_schema or '{"type": "object"}', f"{where}.parameters_schema")
        described = {"description": tool.description} if tool.description else {}
        yield {"type": "function", "function": {"name": tool.name, **described, "parameters": parameters}}


# -- what comes back --------------------------------------------------------------------------------------------------


def read(line: Mapping[str, Any], answer: Answer) -> Iterator[Yielded]:
    """What a line says, of a chat or of a completion."""
    message = line.get("message") or {}
    if thought := message.get("thinking") or line.get("thinking"):
        yield answer.reasoning(thought)
    if text := message.get("content") or line.get("response"):
        yield answer.text(text, logprobs=token_logprobs(line.get("logprobs") or ()))
    for called in message.get("tool_calls") or ():
        function = called.get("function") or {}
        arguments = json.dumps(function.get("arguments") or {}, ensure_ascii=False)
        yield from answer.tool_call(answer.calls, name=function.get("name") or "", arguments=arguments)
    if line.get("done"):
        reason = line.get("done_reason") or "stop"
        called_tools = answer.calls and reason == "stop"
        finish = FinishReason.FINISH_REASON_TOOL_CALLS if called_tools else _FINISHES.get(reason, _FINISHES["stop"])
        answer.finish(finish, reason)
        answer.usage = consumed(line)


def consumed(line: Mapping[str, Any]) -> Usage:
    """Tokens. What runs on one's own machine charges nothing."""
    units = {
        "input-token": line.get("prompt_eval_count") or 0,
        "output-token": line.get("eval_count") or 0,
        "compute-millisecond": (line.get("total_duration") or 0) // 1_000_000,
    }
    return usage_of(units, charged=0)
