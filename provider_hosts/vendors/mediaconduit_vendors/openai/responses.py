"""OpenAI's responses API: reasoning that comes back, tools that the vendor runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import aclosing
from typing import Any, ClassVar, Final

from mediaconduit.v1.options_pb2 import TextOptions, Tool, ToolChoice
from mediaconduit_provider import Call, Facts, InvalidRequestError
from mediaconduit_provider.values import struct_to_plain

from mediaconduit_vendors.api import Api
from mediaconduit_vendors.content import parsed_schema
from mediaconduit_vendors.openai.operation import Operation, Outputs
from mediaconduit_vendors.openai.options import CHAT, Schema, without
from mediaconduit_vendors.openai.response_events import Reading
from mediaconduit_vendors.openai.response_items import Items
from mediaconduit_vendors.openai.schemas import JSON_WANTED, guaranteed, lacks_the_word
from mediaconduit_vendors.options import place
from mediaconduit_vendors.reply import lost

_STRING: Final[Schema] = {"type": "string"}
RESPONSES: Final[Mapping[str, Schema]] = {
    **without(CHAT, "seed", "candidates", "text.stop", "text.presence_penalty", "text.frequency_penalty"),
    "text.reasoning_effort": {"enum": ["none", "minimal", "low", "medium", "high", "xhigh", "max"]},
    "extra.reasoning_summary": {"enum": ["auto", "concise", "detailed"]},
    "extra.verbosity": {"enum": ["low", "medium", "high"]},
    "extra.previous_response_id": _STRING,
    "extra.conversation": _STRING,
    "extra.store": {"type": "boolean"},
    "extra.truncation": {"enum": ["auto", "disabled"]},
    "extra.service_tier": {"enum": ["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"]},
    "extra.prompt_cache_key": _STRING,
    "extra.prompt_cache_retention": {"enum": ["in_memory", "24h"]},
    "extra.safety_identifier": _STRING,
    "extra.metadata": {"type": "object", "maxProperties": 16, "additionalProperties": _STRING},
    "extra.max_tool_calls": {"type": "integer", "minimum": 1},
    "extra.include": {"type": "array", "items": _STRING},
}
"""What it takes, by path in TransformOptions."""
RESPONSES_FIELDS: Final[Mapping[str, str]] = {
    "text.temperature": "temperature",
    "text.top_p": "top_p",
    "text.max_output_tokens": "max_output_tokens",
    "text.parallel_tool_calls": "parallel_tool_calls",
    "text.top_logprobs": "top_logprobs",
}
"""Options that are passed on as they are."""
_MOVED: Final = {"reasoning_summary": "reasoning.summary", "verbosity": "text.verbosity"}
"""Where of our own options go that are elsewhere here than in a chat."""
_INCLUDED: Final = {
    "web_search": "web_search_call.action.sources",
    "code_interpreter": "code_interpreter_call.outputs",
    "file_search": "file_search_call.results",
}
"""What a hosted tool's answer is to hold, by the tool."""
_MODES: Final = {
    ToolChoice.TOOL_CHOICE_UNSPECIFIED: "auto",
    ToolChoice.TOOL_CHOICE_NONE: "none",
    ToolChoice.TOOL_CHOICE_REQUIRED: "required",
}


class Responses(Operation):
    """``POST /responses``, streamed. Nothing is kept by the vendor unless ``extra.store`` says so."""

    path: ClassVar[str] = "/responses"
    options: ClassVar[Mapping[str, Schema]] = RESPONSES
    fields: ClassVar[Mapping[str, str]] = RESPONSES_FIELDS
    places: ClassVar[Mapping[str, str]] = {
        "input": "turns",
        "tools": "options.text.tools",
        "tool_choice": "options.text.tool_choice",
        "reasoning": "options.text.reasoning_effort",
        "reasoning.effort": "options.text.reasoning_effort",
        "reasoning.summary": "options.extra.reasoning_summary",
        "text": "options.text.json_schema",
        "text.format": "options.text.json_schema",
        "text.format.schema": "options.text.json_schema",
        "text.verbosity": "options.extra.verbosity",
        "previous_response_id": "options.extra.previous_response_id",
    }
    hosted_tools: ClassVar[frozenset[str]] = frozenset(
        {"web_search", "web_search_preview", "file_search", "code_interpreter", "image_generation", "mcp"}
    )
    """Tools that the vendor runs itself."""
    caches: ClassVar[bool] = True
    """Whether calls of one conversation are told to share a cache."""

    async def __call__(self, api: Api, call: Call) -> Outputs:
        """Text, reasoning, tool calls and what hosted tools do, as they come."""
        body = await self.request(api, call)
        async with api.open(self.asked(call, json=body)) as reply:
            reading = Reading(call, api.vendor.id, reply.failure)
            yield Facts(vendor_request_id=reply.request_id)
            async with aclosing(reply.events()) as events:
                async for _, event in events:
                    for yielded in reading.read(event):
                        yield yielded
        if reading.finish is None:
            raise lost()
        for yielded in reading.end():
            yield yielded

    # -- what is sent -------------------------------------------------------------------------------------------------

    async def request(self, api: Api, call: Call) -> dict[str, Any]:
        """The body. Raises `InvalidRequestError` for what the vendor cannot take."""
        text = call.options.text
        passed = self.passed_on(call)
        body: dict[str, Any] = {
            "model": self.model_name(call),
            "input": await Items(call, api.vendor.id).write(),
            "stream": True,
            "store": False,
        }
        for name, value in passed.items():
            place(body, _MOVED.get(name, name), value)
        if text.reasoning_effort:
            place(body, "reasoning.effort", text.reasoning_effort)
        if lacks_the_word(call):
            body["input"].insert(0, {"role": "system", "content": JSON_WANTED})
        if text.json_schema:
            place(body, "text.format", self.format(text))
        if text.tools:
            body |= {"tools": list(self.tools(text)), "tool_choice": self.tool_choice(text)}
        if included := self.included(call, bool(body["store"])):
            body["include"] = list(dict.fromkeys((*body.get("include", ()), *included)))
        if self.caches and call.affinity_key:
            body.setdefault("prompt_cache_key", call.affinity_key)
        return body

    def included(self, call: Call, stored: bool) -> list[str]:
        """What the answer is to hold beside itself. Reasoning that the vendor does not keep comes sealed."""
        text = call.options.text
        found = [_INCLUDED[tool.hosted_tool] for tool in text.tools if tool.hosted_tool in _INCLUDED]
        if text.HasField("top_logprobs"):
            found.append("message.output_text.logprobs")
        if "reasoning" in call.model.features and not stored:
            found.append("reasoning.encrypted_content")
        return found

    def format(self, text: TextOptions) -> dict[str, Any]:
        """How the answer must look: a schema, or any JSON object."""
        schema = parsed_schema(text.json_schema, "options.text.json_schema")
        if not schema:
            return {"type": "json_object"}
        sent, strict = guaranteed(schema)
        return {"type": "json_schema", "name": "answer", "schema": sent, "strict": strict}

    def tools(self, text: TextOptions) -> Iterator[dict[str, Any]]:
        """The tools the model may know of."""
        if unknown := sorted(set(text.allowed_tools) - {tool.name for tool in text.tools}):
            raise InvalidRequestError.at("options.text.allowed_tools", f"no such tool: {', '.join(unknown)}")
        for number, tool in enumerate(text.tools):
            yield self.tool(tool, f"options.text.tools[{number}]")

    def tool(self, tool: Tool, where: str) -> dict[str, Any]:
        """One tool: the vendor's, a function, or one that takes free text."""
        extra = struct_to_plain(tool.extra)
        if tool.hosted_tool:
            if tool.hosted_tool not in self.hosted_tools:
                there_is = ", ".join(sorted(self.hosted_tools)) or "none"
                raise InvalidRequestError.at(f"{where}.hosted_tool", f"there is {there_is}")
            if tool.hosted_tool == "code_interpreter":
                extra.setdefault("container", {"type": "auto"})
            return {"type": tool.hosted_tool, **extra}
        described = {"name": tool.name, **({"description": tool.description} if tool.description else {})}
        if not tool.parameters_schema:
            return {"type": "custom", **described, **extra}
        parameters = parsed_schema(tool.parameters_schema, f"{where}.parameters_schema")
        return {"type": "function", **described, "parameters": parameters, "strict": tool.strict, **extra}

    def tool_choice(self, text: TextOptions) -> Any:
        """Whether tools are called, and which."""
        mode = _MODES[text.tool_choice]
        if not text.allowed_tools or mode == "none":
            return mode
        allowed = [_reference(tool) for tool in text.tools if tool.name in text.allowed_tools]
        return {"type": "allowed_tools", "mode": mode, "tools": allowed}


def _reference(tool: Tool) -> dict[str, Any]:
    if tool.hosted_tool:
        return {"type": tool.hosted_tool}
    return {"type": "function" if tool.parameters_schema else "custom", "name": tool.name}
