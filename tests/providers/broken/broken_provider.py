"""A provider that keeps to the contract, but for one defect."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from typing import Any

import defects
from mediaconduit_provider import (
    Call,
    InputSpec,
    Model,
    Output,
    PreconditionError,
    Provider,
    RespondRequest,
    Session,
)

DEFECT = os.environ.get("BROKEN_DEFECT", "")
TEXT = InputSpec(media_types=["text/plain"], required=True, max_bytes=65536)
FRAME = b"YUV4MPEG2 W2 H2 F1:1 C420\nFRAME\n" + bytes(6)
STUBBORN_SECONDS = 5.5
"""How long the call goes on that ignores its cancellation: longer than is waited for it, so that it is noticed."""

defects.arrange(DEFECT)


class Broken(Provider):
    models = (
        Model(
            "echo",
            ["text-to-text"],
            inputs=[TEXT],
            options={"extra.times": {"type": "integer", "minimum": 1, "maximum": 3}},
        ),
        Model("chatter", ["audio-to-audio"], features=["live"]),
        Model("film", ["text-to-video"], inputs=[TEXT], output_media_types=["video/x-yuv4mpeg"]),
    )
    max_concurrency = 6
    settings_schema = {  # noqa: RUF012 - declared by the base class
        "type": "object",
        "additionalProperties": False,
        "properties": {"api_key": {"type": "string", "writeOnly": True}, "greeting": {"type": "string"}},
    }
    running = 0

    async def setup(self) -> None:
        if DEFECT == "setup_fails":
            raise RuntimeError("the vendor's library is not there")
        if DEFECT == "a_child_outlives_it":
            await asyncio.create_subprocess_exec("sleep", "60", stdin=asyncio.subprocess.DEVNULL)

    async def configure(self, settings: Mapping[str, Any]) -> None:
        if DEFECT == "logs_a_secret":
            print("connecting with", settings.get("api_key"), file=sys.stderr)
        await super().configure(settings)

    async def live(self, session: Session) -> AsyncIterator[Any]:
        """Says back what it hears when it is asked to answer."""
        async for piece in session:
            if isinstance(piece, RespondRequest):
                yield Output("audio/wav").data(await session.input().read())

    async def transform(self, call: Call) -> AsyncIterator[Any]:
        if call.model.id == "chatter":
            raise PreconditionError("this model only converses", hint="use TransformLive")
        work = self._film(call) if call.capability == "text-to-video" else self._echo(call)
        async for item in work:
            yield item

    async def _echo(self, call: Call) -> AsyncIterator[Any]:
        if DEFECT == "calls_collide":
            if self.running:
                raise RuntimeError("two calls share one connection")
            self.running += 1
            try:
                await asyncio.sleep(0.05)
            finally:
                self.running -= 1
        for _ in range(call.option("extra.times", 1)):
            for word in call.text.split():
                yield word + " "

    async def _film(self, call: Call) -> AsyncIterator[Any]:
        if DEFECT == "upload_fails" and isinstance(call, Session):
            raise RuntimeError("the input is not there yet")
        if DEFECT == "text_for_video" and not isinstance(call, Session):
            yield "no film today"
            return
        out = Output("video/x-yuv4mpeg")
        yield out.data(FRAME)
        if DEFECT == "ignores_cancel":
            try:
                await asyncio.sleep(0.3)
            except asyncio.CancelledError:
                await asyncio.sleep(STUBBORN_SECONDS)
        yield out.data(FRAME[26:])
