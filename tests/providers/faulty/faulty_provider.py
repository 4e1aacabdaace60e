"""A model for each way to misbehave, and a few good ones to see that the others are unharmed."""

import asyncio
import itertools
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar

from mediaconduit_provider import Call, File, InputSpec, Model, Progress, Provider

SECRET = "sk-verysecret"


class Faulty(Provider):
    models = (
        *(
            Model(name, ["text-to-text"])
            for name in ("echo", "raise", "exit", "kill", "flood", "endless", "runs", "greet", "backlog", "thread")
        ),
        Model("stubborn", ["text-to-text"]),
        Model("words", ["text-to-text"], options={"text.max_output_tokens": {"type": "integer", "minimum": 1}}),
        Model("copy", ["audio-to-audio"]),
        Model("hose", ["text-to-audio"], output_media_types=["audio/wav"]),
        Model("hosed", ["text-to-text"]),
        Model("small", ["audio-to-audio"], inputs=[InputSpec(max_bytes=10_000_000, media_types=["audio/*"])]),
        Model("picky", ["text-to-text"], options={"extra.level": {"type": "integer", "minimum": 1, "maximum": 9}}),
    )
    settings_schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"greeting": {"type": "string"}, "key": {"type": "string", "writeOnly": True}},
        "additionalProperties": False,
    }
    max_concurrency = 64

    def __init__(self) -> None:
        self.runs = 0
        self.ended = 0
        self.hosed = 0

    def transform(self, call: Call) -> AsyncIterator[Any] | Iterator[Any]:
        if call.model.id == "stubborn":
            return self._stubborn(call)
        if call.model.id == "thread":
            return self._thread(call)
        return getattr(self, f"_{call.model.id}")(call)

    async def _echo(self, call: Call) -> AsyncIterator[Any]:
        for word in call.text.split(" "):
            yield word + " "

    async def _picky(self, call: Call) -> AsyncIterator[Any]:
        yield str(call.option("extra.level", 5))

    async def _raise(self, call: Call) -> AsyncIterator[Any]:
        yield "before"
        raise ValueError(f"could not use {SECRET}")

    async def _exit(self, call: Call) -> AsyncIterator[Any]:
        yield "before"
        await asyncio.sleep(0.05)
        print(f"last words with {SECRET}", file=sys.stderr, flush=True)
        os._exit(3)

    async def _kill(self, call: Call) -> AsyncIterator[Any]:
        yield "before"
        await asyncio.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)

    async def _flood(self, call: Call) -> AsyncIterator[Any]:
        line = "x" * 99 + "\n"
        for _ in range(200):
            await asyncio.to_thread(sys.stdout.write, line * 1000)
        sys.stdout.flush()
        yield "done"

    async def _endless(self, call: Call) -> AsyncIterator[Any]:
        try:
            while True:
                yield "tick "
                await asyncio.sleep(0.005)
        finally:
            self.ended += 1

    async def _words(self, call: Call) -> AsyncIterator[Any]:
        words, limit = call.text.split(), call.option("text.max_output_tokens")
        for number in itertools.count() if limit is None else range(limit):
            yield f"{words[number % len(words)]} "
            if limit is None:
                await asyncio.sleep(0.001)

    async def _runs(self, call: Call) -> AsyncIterator[Any]:
        self.runs += 1
        yield f"run {self.runs}"
        await asyncio.sleep(0.2)
        yield f", ended {self.ended}"

    async def _greet(self, call: Call) -> AsyncIterator[Any]:
        yield f"{self.settings.get('greeting', 'none')} {os.getpid()}"

    async def _backlog(self, call: Call) -> AsyncIterator[Any]:
        for number in range(int(call.text)):
            yield f"{number} "

    def _thread(self, call: Call) -> Iterator[Any]:
        for word in call.text.split(" "):
            yield word + " "

    def _stubborn(self, call: Call) -> Iterator[Any]:
        yield Progress(stage="running")
        yield "blocked"
        threading.Event().wait(60)

    async def _copy(self, call: Call) -> AsyncIterator[Any]:
        item = call.input()
        yield File(await item.path(), item.media_type)

    _small = _copy

    async def _hose(self, call: Call) -> AsyncIterator[Any]:
        while True:
            yield bytes(64 * 1024)
            self.hosed += 64 * 1024

    async def _hosed(self, call: Call) -> AsyncIterator[Any]:
        yield str(self.hosed)
