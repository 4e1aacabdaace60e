"""Large inputs in, files out."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tracemalloc
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mediaconduit import Client, Media
from mediaconduit.errors import InternalError, InvalidRequestError, UnavailableError
from mediaconduit.status import abort
from mediaconduit.streams import CHUNK_BYTES, WHOLE_INPUT_BYTES
from mediaconduit.v1 import events_pb2 as e

MEGABYTE = 1024 * 1024


class Collected:
    """What a server got by TransformLive."""

    def __init__(self) -> None:
        self.start: Any = None
        self.sizes: list[int] = []
        self.digests: dict[int, Any] = {}
        self.ended: list[int] = []
        self.text = b""

    async def take(self, requests: Any) -> None:
        async for request in requests:
            if request.WhichOneof("piece") == "start":
                self.start = request.start
                continue
            chunk = request.chunk
            self.sizes.append(len(chunk.data))
            self.digests.setdefault(chunk.stream, hashlib.sha256()).update(chunk.data)
            self.text += chunk.data[:64]
            if chunk.last:
                self.ended.append(chunk.stream)


@pytest.fixture
def collected(server: Any) -> Collected:
    found = Collected()

    async def live(requests: Any, context: Any) -> None:
        await found.take(requests)
        await server.say(["got it"], context)

    server.live = live
    return found


async def test_a_small_file_travels_whole(server: Any, mc: Client, tmp_path: Path) -> None:
    server.transform = lambda _, context: server.say(["ok"], context)
    voice, prompt = tmp_path / "v.wav", tmp_path / "p.txt"
    voice.write_bytes(b"RIFF")
    prompt.write_text("say höhö")
    await mc.model("m").transform(prompt, inputs={"voice": voice}, system="calm")
    first, second = server.requests[0].turns
    assert first.parts[0].text == "calm"
    assert (second.parts[0].text, second.parts[0].media_type) == ("say höhö", "text/plain")
    assert (second.parts[1].name, second.parts[1].data, second.parts[1].media_type) == ("voice", b"RIFF", "audio/wav")


@pytest.mark.parametrize("over", [0, 1])
async def test_more_than_a_megabyte_in_all_travels_in_chunks(
    server: Any, mc: Client, collected: Collected, over: int
) -> None:
    server.transform = lambda _, context: server.say(["whole"], context)
    overhead = len(b"\x12\taudio/wav\x22\x80\x80\x40")  # media type, field and length of the data
    data = os.urandom(WHOLE_INPUT_BYTES - overhead + over)
    result = await mc.model("m").transform(Media(data, "audio/wav"))
    if over:
        assert result.text == "got it"
        assert collected.digests[1].hexdigest() == hashlib.sha256(data).hexdigest()
        assert max(collected.sizes) == CHUNK_BYTES
        assert collected.ended == [1]
        assert collected.start.turns[0].parts[0].stream == 1
    else:
        assert result.text == "whole"


async def test_a_large_file_comes_through_with_little_memory(mc: Client, collected: Collected, tmp_path: Path) -> None:
    big = tmp_path / "big.mp4"
    with big.open("wb") as file:
        file.truncate(96 * MEGABYTE)
    tracemalloc.start()
    result = await mc.model("m").transform(["what is this?", big], inputs={"voice": Media(b"abc", "audio/wav")})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.text == "got it"
    assert sum(collected.sizes) == 96 * MEGABYTE
    question, video, voice = collected.start.turns[0].parts
    assert (question.text, video.media_type, voice.data) == ("what is this?", "video/mp4", b"abc")
    assert peak < 8 * MEGABYTE


async def test_chunks_of_text_end_between_characters(mc: Client, server: Any) -> None:
    text = "ä€😀" * 200_000
    pieces: list[str] = []

    async def live(requests: Any, context: Any) -> None:
        pieces.extend([request.chunk.data.decode() async for request in requests])
        await server.say(["ok"], context)

    server.live = live
    await mc.model("m").transform(text)
    assert "".join(pieces) == text


async def test_an_input_may_come_while_it_is_sent(mc: Client, collected: Collected) -> None:
    async def microphone() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 1000

    await mc.model("m").transform(Media(microphone(), "audio/L16; rate=16000"))
    assert sum(collected.sizes) == 3000
    assert collected.start.turns[0].parts[0].media_type == "audio/L16; rate=16000"


async def test_a_named_pipe_is_sent_as_it_is_written(mc: Client, collected: Collected, tmp_path: Path) -> None:
    pipe = tmp_path / "in.wav"
    os.mkfifo(pipe)
    stream = mc.model("m").stream(pipe)
    async with stream:
        reading = asyncio.ensure_future(anext(stream))
        writer = await asyncio.to_thread(pipe.open, "wb")
        with writer:
            await asyncio.to_thread(writer.write, b"abc" * 1000)
        await reading
        async for _ in stream:
            pass
    assert sum(collected.sizes) == 3000


async def test_when_the_server_ends_an_upload_its_error_is_raised_and_sending_stops(server: Any, mc: Client) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield bytes(CHUNK_BYTES)

    async def refuse(requests: Any, context: Any) -> None:
        await context.read()
        await abort(context, InvalidRequestError("10 MB at most"))

    server.live = refuse
    with pytest.raises(InvalidRequestError, match="10 MB at most"):
        await mc.model("m").transform(Media(endless(), "video/mp4"))
    before = read
    await asyncio.sleep(0)
    assert read == before


async def test_an_answer_before_the_end_of_the_upload_is_an_answer(server: Any, mc: Client) -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield bytes(CHUNK_BYTES)
        finally:
            closed.set()

    server.live = lambda _, context: server.say(["enough"], context)
    assert (await mc.model("m").transform(Media(endless(), "video/mp4"))).text == "enough"
    await closed.wait()


async def test_an_input_that_fails_fails_the_call_with_its_error(server: Any, mc: Client) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x"
        raise ValueError("the microphone is gone")

    async def live(requests: Any, context: Any) -> None:
        async for _ in requests:
            pass

    server.live = live
    with pytest.raises(ValueError, match="microphone"):
        await mc.model("m").transform(Media(broken(), "audio/wav"))


@pytest.mark.parametrize("name", ["missing.wav", "folder.wav"])
async def test_a_file_that_cannot_be_read_is_a_typed_error(mc: Client, tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(InvalidRequestError, match=name):
        await mc.model("m").transform(tmp_path / name)


def wav(frames: bytes, length: int) -> bytes:
    """A WAV of 8 kHz, 16 bit, mono whose header says `length` bytes of sound."""
    fmt = b"fmt " + (16).to_bytes(4, "little") + b"\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0"
    size = min(length + 36, 0xFFFFFFFF)
    head = b"RIFF" + size.to_bytes(4, "little") + b"WAVE" + fmt
    return head + b"data" + length.to_bytes(4, "little") + frames


async def speak(out: Any, data: bytes, *, index: int = 0, sha256: str | None = None, name: str = "") -> None:
    await out.send(e.OutputStarted(index=index, kind=e.OUTPUT_KIND_DATA, media_type="audio/wav", name=name))
    for at in range(0, len(data), 1000):
        await out.send(e.OutputDelta(index=index, data=data[at : at + 1000]))
    digest = hashlib.sha256(data).hexdigest() if sha256 is None else sha256
    await out.send(e.OutputCompleted(index=index, size_bytes=len(data), sha256=digest))


@pytest.mark.parametrize("placeholder", [0xFFFFFFFF, 0, 0x7FFFFFFF])
async def test_a_wav_written_before_its_length_was_known_is_saved_with_the_true_one(
    server: Any, mc: Client, tmp_path: Path, placeholder: int
) -> None:
    data = wav(b"\x01\x02" * 5000, placeholder)

    async def handler(_: Any, context: Any) -> None:
        out = server.out(context)
        await out.start()
        await speak(out, data)
        await out.complete()

    server.transform = handler
    result = await mc.model("m").transform("x", to=tmp_path / "while.wav")
    kept = await mc.model("m").transform("x")
    assert kept.data == data
    kept.save(tmp_path / "after.wav")
    for name in ("while.wav", "after.wav"):
        with wave.open(str(tmp_path / name)) as sound:
            assert sound.getnframes() == 5000
            assert sound.readframes(6000) == b"\x01\x02" * 5000
        saved = (tmp_path / name).read_bytes()
        assert int.from_bytes(saved[4:8], "little") == len(saved) - 8
    assert result.outputs[0].path == tmp_path / "while.wav"
    assert sorted(path.name for path in tmp_path.glob("*.wav")) == ["after.wav", "while.wav"]


async def test_several_outputs_go_into_a_folder_under_harmless_names(server: Any, mc: Client, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()

    async def handler(_: Any, context: Any) -> None:
        out = server.out(context)
        await out.start()
        await speak(out, b"one", index=0, name="vocals")
        await speak(out, b"two", index=1, name="../../evil")
        await out.complete()

    server.transform = handler
    await mc.model("m").transform("x", to=folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "vocals-0.wav": b"one",
        "evil-1.wav": b"two",
    }
    await mc.model("m").transform("x", to=tmp_path / "a.wav")
    assert (tmp_path / "a.wav").read_bytes() == b"one"
    assert (tmp_path / "a-2.wav").read_bytes() == b"two"


async def test_nothing_is_left_of_a_file_when_the_call_fails(server: Any, mc: Client, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    target = tmp_path / "out" / "a.wav"
    target.write_bytes(b"before")

    async def handler(_: Any, context: Any) -> None:
        out = server.out(context)
        await out.start()
        await speak(out, bytes(600_000))
        await out.send(e.OutputStarted(index=1, kind=e.OUTPUT_KIND_DATA, media_type="audio/wav"))
        await abort(context, UnavailableError("gone"))

    server.transform = handler
    with pytest.raises(UnavailableError, match="gone"):
        await mc.model("m").transform("x", to=target)
    assert [path.name for path in target.parent.iterdir()] == ["a.wav"]
    assert target.read_bytes() == b"before"


async def test_a_file_is_not_there_when_the_call_fails_at_its_very_end(server: Any, mc: Client, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()

    async def handler(_: Any, context: Any) -> None:
        out = server.out(context)
        await out.start()
        await speak(out, b"abc")
        await out.complete()
        await abort(context, InternalError("too late"))

    server.transform = handler
    with pytest.raises(InternalError, match="too late"):
        await mc.model("m").transform("x", to=folder / "a.wav")
    assert list(folder.iterdir()) == []


async def test_leaving_the_loop_removes_the_partial_file(server: Any, mc: Client, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()

    async def handler(_: Any, context: Any) -> None:
        out = server.out(context)
        await out.start()
        await speak(out, bytes(600_000))
        await asyncio.Event().wait()

    server.transform = handler
    stream = mc.model("m").stream("x", to=folder / "a.wav")
    async for event in stream:
        if type(event).__name__ == "OutputCompleted":
            assert [path.suffix for path in folder.iterdir()] == [".part"]
            break
    assert list(folder.iterdir()) == []
    await server.cancelled.wait()


@pytest.mark.parametrize(("sha256", "found"), [("0" * 64, "SHA-256"), ("", None)])
async def test_damaged_data_is_an_error(server: Any, mc: Client, sha256: str, found: str | None) -> None:
    async def handler(_: Any, context: Any) -> None:
        out = server.out(context)
        await out.start()
        await speak(out, b"abc", sha256=sha256)
        await out.complete()

    server.transform = handler
    if found is None:
        assert (await mc.model("m").transform("x")).data == b"abc"
        return
    with pytest.raises(InternalError, match=found):
        await mc.model("m").transform("x")


async def test_a_second_started_voids_what_came_before(server: Any, mc: Client, tmp_path: Path) -> None:
    async def handler(_: Any, context: Any) -> None:
        out = server.out(context)
        await out.start("providers/a/models/m")
        await out.text("first ")
        await speak(out, bytes(300_000), index=1)
        await out.start("providers/b/models/m")
        await speak(out, b"second", index=0)
        await out.complete()

    server.transform = handler
    folder = tmp_path / "out"
    folder.mkdir()
    result = await mc.model("m").transform("x", to=folder)
    assert (result.model, result.text, result.data) == ("providers/b/models/m", "", b"second")
    assert [path.name for path in folder.iterdir()] == ["output-0.wav"]


async def test_text_is_saved_where_there_is_no_data(server: Any, mc: Client, tmp_path: Path) -> None:
    server.transform = lambda _, context: server.say(["Hello"], context)
    result = await mc.model("m").transform("x", to=tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text() == "Hello"
    assert result.save(tmp_path) == [tmp_path / "output-0.txt"]
