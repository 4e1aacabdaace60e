"""Does what its tests want to see, as its twins in other languages do."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar

from mediaconduit_provider import (
    Call,
    ExhaustedError,
    InvalidRequestError,
    Model,
    Output,
    Pricing,
    Provider,
    Reason,
    Usage,
)

if os.environ.get("BEHAVE_FAIL") == "make":
    raise RuntimeError("as it was told")

REPEAT = {"extra.repeat": {"type": "integer", "minimum": 1, "maximum": 1000000, "default": 1}}
TEXTUAL = ("words", "crash", "fail", "hang", "flood", "child", "greet")


class Behave(Provider):
    max_concurrency = 4
    settings_schema: ClassVar = {
        "type": "object",
        "properties": {
            "greeting": {"type": "string", "minLength": 2},
            "api_key": {"type": "string", "writeOnly": True, "pattern": "^k-"},
        },
        "additionalProperties": False,
    }
    models = (
        *(Model(name, ["text-to-text"], options=REPEAT, pricing=Pricing()) for name in TEXTUAL),
        Model("echo", ["audio-to-audio"]),
    )

    async def setup(self) -> None:
        self.report_loading(0.5, "half")
        self.key = os.environ.get("BEHAVE_KEY", "")
        if os.environ.get("BEHAVE_FAIL") == "setup":
            raise RuntimeError("as it was told")

    async def configure(self, settings: Mapping[str, Any]) -> None:
        if settings.get("greeting") == "refused":
            raise InvalidRequestError.at("settings.greeting", "is not liked", hint=f"the key is {self.key}")
        self.settings = settings

    async def transform(self, call: Call) -> AsyncIterator[Any]:
        async for item in getattr(self, call.model.id)(call):
            yield item

    async def words(self, call: Call) -> AsyncIterator[Any]:
        count = 0
        for _ in range(call.option("extra.repeat")):
            for word in call.text.split():
                count += 1
                yield word + " "
        yield Usage(units={"word": count})

    async def crash(self, call: Call) -> AsyncIterator[Any]:
        raise RuntimeError("a secret detail")
        yield

    async def fail(self, call: Call) -> AsyncIterator[Any]:
        raise ExhaustedError(
            f"the vendor refuses {os.environ.get('BEHAVE_KEY', '')}",
            reason=Reason.RATE_LIMITED,
            metadata={"whose": "vendor"},
            retry_after=7.0,
        )
        yield

    async def hang(self, call: Call) -> AsyncIterator[Any]:
        yield "hanging"
        await asyncio.Event().wait()

    async def flood(self, call: Call) -> AsyncIterator[Any]:
        piece = "x" * 65536
        for written in range(0, 64 * 1024 * 1024, 65536):
            yield Usage(units={"byte": written})
            yield piece

    async def child(self, call: Call) -> AsyncIterator[Any]:
        process = await asyncio.create_subprocess_exec("setsid", "sleep", "600")
        yield str(process.pid)
        await asyncio.Event().wait()

    async def greet(self, call: Call) -> AsyncIterator[Any]:
        yield f"{self.settings.get('greeting', '')} {self.key}"

    async def echo(self, call: Call) -> AsyncIterator[Any]:
        source = call.input()
        output = Output(source.media_type)
        yield output
        async for chunk in source.chunks():
            yield output.data(chunk)
        yield output.done()
