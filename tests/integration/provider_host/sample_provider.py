"""A provider whose models show what a host must cope with. Run by the tests of this folder as a real sidecar."""

import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import ClassVar

from mediaconduit.errors import ExhaustedError, InvalidRequestError, Reason
from mediaconduit_provider import (
    Call,
    Checkpoint,
    Embedding,
    Facts,
    File,
    InputSpec,
    InterruptRequest,
    Model,
    Progress,
    Provider,
    PullProgress,
    RespondRequest,
    Session,
    ToolCall,
    Turn,
    Usage,
    Voice,
)

TEXT = ["text-to-text"]
NAMES = """shout thread typed boom late_boom exits prints many blocks_after_first cleans_up stubborn stuck_thread
remaining spawns
groups options tools silent returns delegates stall made cancels_itself stalls_in_group retries keeps_a_file""".split()


class Sample(Provider):
    display_name = "Sample"
    max_concurrency = 3
    settings_schema: ClassVar = {
        "type": "object",
        "properties": {
            "api_key": {"type": "string", "minLength": 5, "writeOnly": True},
            "retries": {"type": "integer", "minimum": 0, "maximum": 5},
        },
        "additionalProperties": False,
    }
    models: ClassVar = [
        *(Model(name, TEXT) for name in NAMES),
        Model(
            "picky",
            ["text-to-audio", "audio-to-audio"],
            options={
                "audio.speed": {"type": "number", "minimum": 0.5, "maximum": 3},
                "audio.duration": {"type": "number"},
                "extra.gap": {"type": "integer"},
            },
            inputs=[
                InputSpec(media_types=["text/plain", "audio/*"], max_bytes=1000),
                InputSpec("voice", media_types=["audio/*"], max_bytes=100, required=True),
            ],
            output_media_types=["audio/wav", "audio/mpeg"],
        ),
        Model("data", ["text-to-audio"], output_media_types=["audio/wav"]),
        Model("file", ["text-to-audio"]),
        Model("upload", ["audio-to-text"], inputs=[InputSpec(max_bytes=10_000_000)]),
        Model("pair", ["audio-to-text"], inputs=[InputSpec(), InputSpec("second")]),
        Model("upload_thread", ["audio-to-text"]),
        Model("embed", ["text-to-embedding"]),
        Model("talk", TEXT, features=["live"]),
    ]

    def __init__(self):
        self.events = []

    def transform(self, call: Call):
        return getattr(self, "do_" + call.model.id)(call)

    async def configure(self, settings):
        if settings.get("retries") == 5:
            raise InvalidRequestError.at("settings.retries", "is too many")
        if settings.get("retries") == 4:
            self.settings = settings
            raise RuntimeError(f"broken by {settings}")
        await super().configure(settings)

    async def do_shout(self, call):
        yield Progress(fraction=0.5, stage="running")
        for word in call.text.split():
            yield word.upper() + " "
        yield Facts(vendor_model="shouter-1")
        yield Usage(units={"character": len(call.text)})
        yield Checkpoint(resume_token=b"t")

    def do_thread(self, call):
        assert threading.current_thread() is not threading.main_thread()
        try:
            yield from call.text.split()
        finally:
            self.events.append("closed")

    async def do_typed(self, call):
        yield "before"
        raise ExhaustedError("slow down", reason=Reason.RATE_LIMITED, retry_after=7, metadata={"whose": "vendor"})

    async def do_boom(self, call):
        raise RuntimeError("secret-text")
        yield

    async def do_late_boom(self, call):
        yield "before"
        await asyncio.sleep(0)
        raise RuntimeError("secret-text")

    async def do_exits(self, call):
        yield "before"
        await asyncio.sleep(0.05)
        sys.exit(3)

    async def do_prints(self, call):
        print("printed by the author")
        print("with", "newline", file=sys.stderr)
        yield "ok"

    async def do_many(self, call):
        for number in range(int(call.text)):
            yield f"{number} "

    async def do_blocks_after_first(self, call):
        yield "first"
        time.sleep(float(call.text))  # noqa: ASYNC251 - the author's mistake that the host must survive
        yield "second"

    async def do_cleans_up(self, call):
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.sleep(1000))
                while True:
                    yield "x"
                    await asyncio.sleep(0.01)
        finally:
            await asyncio.sleep(0.05)
            call.log.info("events: cleaned up")

    async def do_stalls_in_group(self, call):
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.sleep(1000))
                while True:
                    yield "x" * 65536
        finally:
            await asyncio.sleep(0.05)
            call.log.info("events: cleaned up")

    async def do_keeps_a_file(self, call):
        handle, name = tempfile.mkstemp()
        os.close(handle)
        yield name
        await asyncio.sleep(1000)

    async def do_retries(self, call):
        yield str(self.settings.get("retries"))

    async def do_stubborn(self, call):
        yield "x"
        while True:
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                self.events.append("ignored")

    def do_stuck_thread(self, call):
        yield "x"
        until = Path(call.text)
        while not until.exists():
            time.sleep(0.01)
        yield "y"

    async def do_remaining(self, call):
        yield f"{call.remaining()}"
        await asyncio.sleep(1000)

    async def do_spawns(self, call):
        child = subprocess.Popen(["sleep", "1000"])  # noqa: ASYNC220
        other = subprocess.Popen(["sleep", "1000"], start_new_session=True)  # noqa: ASYNC220
        yield f"{child.pid} {other.pid}"

    async def do_groups(self, call):
        async with asyncio.TaskGroup() as group:
            group.create_task(self._fails())
            await asyncio.sleep(1000)
        yield "never"

    async def _fails(self):
        raise InvalidRequestError.at("turns", "not today")

    async def do_options(self, call):
        yield repr(call.option("seed"))

    async def do_tools(self, call):
        yield "let me see"
        yield ToolCall(id="1", name="look", arguments='{"a": 1}')
        yield "done"

    async def do_silent(self, call):
        await asyncio.sleep(1000)
        yield "never"

    async def do_returns(self, call):
        return "returned"

    async def do_delegates(self, call):
        async for piece in self.do_shout(call):
            yield piece

    async def do_stall(self, call):
        self.made = 0
        for _ in range(int(call.text)):
            yield b"x" * 65536
            self.made += 65536

    async def do_made(self, call):
        yield str(self.made)

    async def do_cancels_itself(self, call):
        yield "x"
        raise asyncio.CancelledError

    async def do_picky(self, call):
        yield f"{call.capability} {call.option('audio.speed', 1.0)}".encode()

    async def do_data(self, call):
        yield b"a" * 300_000
        yield b"b" * 10

    async def do_file(self, call):
        path = call.folder / "out"
        path.write_bytes(b"f" * 600_000)
        yield File(path, "audio/flac", name="main")
        yield str(path)

    async def do_upload(self, call):
        size = 0
        async for chunk in call.input().chunks():
            size += len(chunk)
        yield str(size)

    async def do_pair(self, call):
        second = await call.input("second").read()
        first = await call.input().read()
        yield f"{len(second)} {len(first)}"

    def do_upload_thread(self, call):
        with call.input().open() as source:
            yield str(len(source.read()))

    async def do_embed(self, call):
        for number, _ in enumerate(call.turns):
            yield Embedding(values=[float(number)], input=number)

    async def live(self, session: Session):
        said = []
        async for piece in session:
            if isinstance(piece, Turn):
                for part in piece.parts:
                    given = session.part_input(part)
                    said.append(given.text or (await given.read()).decode())
            elif isinstance(piece, RespondRequest):
                yield f"you said {' '.join(said)};"
            elif isinstance(piece, InterruptRequest):
                yield f"interrupted at {piece.played};"
            else:
                yield f"seed {session.option('seed')};"
        yield "bye"

    async def list_voices(self):
        return [Voice(name="anna", models=["say", "providers/sample/models/shout"]), Voice(name="bob")]

    async def create_voice(self, request):
        self.events.append("voice")
        await asyncio.sleep(0.01)
        return Voice(name=f"made-{self.events.count('voice')}", labels={"pulls": str(self.events.count("pull"))})

    async def delete_voice(self, voice_id):
        self.events.append(f"deleted {voice_id}")

    async def pull_model(self, model_id):
        self.events.append("pull")
        for done in range(3):
            yield PullProgress("download", done, 2)
            await asyncio.sleep(0.05)

    async def close(self):
        print("closed by the host", os.getpid())
