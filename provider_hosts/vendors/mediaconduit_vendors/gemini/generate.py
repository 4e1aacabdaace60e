"""Answers: ``:streamGenerateContent``, ``:generateContent``, and the count of their tokens."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from mediaconduit_provider import Call, Facts, InvalidRequestError, Usage
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.content import parsed_schema
from mediaconduit_vendors.gemini.contents import Contents
from mediaconduit_vendors.gemini.options import PATHS, passed_on
from mediaconduit_vendors.gemini.reading import Answer
from mediaconduit_vendors.gemini.thinking import thinking_of
from mediaconduit_vendors.gemini.tools import tool_config, tools_of
from mediaconduit_vendors.options import place
from mediaconduit_vendors.reply import lost


class Generate:
    """Text, reasoning, calls of functions and media as they come. An instance serves all calls; kinds of models that
    ask or answer differently override `configure` and `answer`."""

    async def __call__(self, api: Api, call: Call) -> AsyncGenerator[Yielded, None]:
        """Answers, or counts where ``extra.count_tokens`` is set."""
        contents = Contents(call, api)
        try:
            body = await self.request(call, contents)
            work = self._count if call.option("extra.count_tokens") else self._answer
            async with aclosing(work(api, call, body, contents)) as outputs:
                async for output in outputs:
                    yield output
        finally:
            await contents.files.forget()

    async def _count(
        self, api: Api, call: Call, body: dict[str, Any], contents: Contents
    ) -> AsyncGenerator[Yielded, None]:
        counted = {"generateContentRequest": {"model": f"models/{call.model.id}", **body}}
        found, reply = await api.json(asked(call, "countTokens", counted, contents))
        yield Facts(vendor_request_id=reply.request_id)
        yield json.dumps({"input_tokens": found["totalTokens"]})
        yield Usage(nano_cost=0, currency="USD")

    async def _answer(
        self, api: Api, call: Call, body: dict[str, Any], contents: Contents
    ) -> AsyncGenerator[Yielded, None]:
        answer = self.answer(call, api)
        async with api.open(self._asked(call, body, contents)) as reply:
            yield Facts(vendor_request_id=reply.request_id)
            async with aclosing(reply.events()) as events:
                async for _, chunk in events:
                    if isinstance(chunk, list) or "error" in chunk:
                        raise reply.failure(chunk)
                    for yielded in answer.read(chunk):
                        yield yielded
        if not answer.finished:
            raise lost()
        for yielded in answer.end():
            yield yielded

    def _asked(self, call: Call, body: dict[str, Any], contents: Contents) -> Request:
        if call.option("extra.stream") is False:
            return asked(call, "generateContent", body, contents)
        return asked(call, "streamGenerateContent", body, contents, params={"alt": "sse"})

    def answer(self, call: Call, api: Api) -> Answer:
        """What reads the answer."""
        call.media_type("text/plain", "application/json")
        return Answer(call, api.vendor.id)

    def configure(self, call: Call, body: dict[str, Any]) -> None:
        """Adds to the request what this kind of models is asked with."""
        text = call.options.text
        if text.HasField("top_logprobs"):
            place(body, "generationConfig.responseLogprobs", True)
        if thinking := thinking_of(text, call.model.id, call.option("extra.include_thoughts")):
            place(body, "generationConfig.thinkingConfig", thinking)
        if text.tools:
            body["tools"] = tools_of(text)
            body["toolConfig"] = {**body.get("toolConfig", {}), **tool_config(text)}
        if text.json_schema:
            place(body, "generationConfig.responseMimeType", "application/json")
            if schema := parsed_schema(text.json_schema, "options.text.json_schema"):
                place(body, "generationConfig.responseJsonSchema", schema)

    async def request(self, call: Call, contents: Contents) -> dict[str, Any]:
        """The body. Raises `InvalidRequestError` for what the vendor cannot take."""
        body: dict[str, Any] = {"contents": await contents.write(), **passed_on(call)}
        if not body["contents"]:
            raise InvalidRequestError.at("turns", "hold nothing but instructions", hint="add a turn of the user")
        if contents.system:
            body["systemInstruction"] = {"parts": contents.system}
        self.configure(call, body)
        return body


def asked(
    call: Call, method: str, body: dict[str, Any], contents: Contents | None = None, params: Any = None
) -> Request:
    """A request to a method of the call's model."""
    return Request(
        "POST",
        f"/models/{call.model.id}:{method}",
        json=body,
        params=params,
        fields={**PATHS, **(contents.paths if contents is not None else {})},
        remaining=call.remaining(),
    )
