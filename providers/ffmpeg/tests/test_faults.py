"""What goes wrong, and who is left afterwards."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from ffmpeg_provider import Ffmpeg, binary
from ffmpeg_provider.process import Run
from mediaconduit import Media
from mediaconduit.errors import CallTimeoutError, InvalidRequestError, PreconditionError, Reason, UnavailableError
from mediaconduit.events import DataDelta
from mediaconduit_provider.testing import Served, serve

Maker = Callable[[str], Path]
linux = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="looks at processes as Linux shows them")


def children() -> list[int]:
    """Processes this one has started and that still run."""
    found = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return [int(pid) for path in found for pid in path.read_text().split()]


async def gone(pid: int) -> None:
    """Returns when the process has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, ended.set)
    try:
        async with asyncio.timeout(20):
            await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def wav_header() -> bytes:
    size = (0xFFFFFFFF).to_bytes(4, "little")
    form = bytes.fromhex("666d7420 10000000 0100 0100 44ac0000 88580100 0200 1000")
    return b"RIFF" + size + b"WAVE" + form + b"data" + size


async def endless(fed: list[int] | None = None) -> AsyncIterator[bytes]:
    yield wav_header()
    block = bytes(65536)
    while True:
        if fed is not None:
            fed.append(len(block))
        yield block


@pytest.mark.parametrize(
    ("model", "name", "says", "found"),
    [
        ("convert", "tone.mp3", "audio/wav", "but the bytes are MP3 audio"),
        ("convert", "tone.wav", "audio/mpeg", "but the bytes are WAV audio"),
        ("convert", "card.png", "audio/wav", "but the bytes are PNG image"),
        ("convert", "tone.m4a", "audio/ogg", "but the bytes are MP4"),
        ("convert", "silent.mp4", "audio/mp4", "there is no sound"),
        ("extract", "silent.mp4", "video/mp4", "there is no sound"),
        ("frame", "tone.m4a", "video/mp4", "there are no pictures"),
        ("edit", "clip.webm", "video/mp4", "but the bytes are WebM or Matroska"),
        ("animate", "card.jpg", "image/png", "but the bytes are JPEG image"),
        ("waveform", "clip.gif", "audio/wav", "but the bytes are GIF image"),
    ],
)
@pytest.mark.parametrize("live", [False, True])
async def test_bytes_that_are_not_what_they_say_are_refused(
    served: Served, media: Maker, model: str, name: str, says: str, found: str, live: bool
) -> None:
    data = media(name).read_bytes()

    async def chunks() -> AsyncIterator[bytes]:
        yield data

    with pytest.raises(InvalidRequestError) as caught:
        await served.model(model).transform(Media(chunks() if live else data, says))
    assert caught.value.reason is Reason.INPUT_INVALID
    assert [f.field for f in caught.value.fields] == ["turns[0].parts[0]"]
    assert found in caught.value.fields[0].description


@pytest.mark.parametrize("data", [b"", b"hello world " * 1000, b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"])
@pytest.mark.parametrize("live", [False, True])
async def test_bytes_that_are_nothing_are_refused(served: Served, data: bytes, live: bool) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield data

    with pytest.raises(InvalidRequestError) as caught:
        await served.model("convert").transform(Media(chunks() if live else data, "audio/wav"))
    assert "passwd" not in str(caught.value)


async def test_a_wrong_named_input_is_told_by_its_place(served: Served, media: Maker) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await served.model("edit").transform(
            media("clip.mp4"), inputs={"overlay": Media(media("card.jpg").read_bytes(), "image/png")}
        )
    assert caught.value.fields[0].field == "turns[0].parts[1]"


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"extra": {"filter": "movie=/etc/passwd"}}, "options.extra.filter"),
        ({"extra": {"filter": "scale=w=wat:h=1"}}, "options.extra.filter"),
        ({"extra": {"start": 5.0}}, "options.extra.start"),
        ({"extra": {"overlay": {"opacity": 2}}}, "options.extra.overlay.opacity"),
        ({"video": {"frame": {"width": 321}}}, "options.video.frame.width"),
        ({"video": {"frame_rate": 500}}, "options.video.frame_rate"),
        ({"extra": {"wat": 1}}, "options.extra.wat"),
    ],
)
async def test_wrong_options_are_named(served: Served, media: Maker, options: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await served.model("edit").transform(media("clip.mp4"), **options)
    assert [f.field for f in caught.value.fields] == [where]
    assert "/tmp" not in str(caught.value)


async def test_a_format_the_model_does_not_make_is_refused(served: Served, media: Maker) -> None:
    with pytest.raises(InvalidRequestError):
        await served.model("convert").transform(media("tone.wav"), output_media_types=["audio/midi"])


async def test_an_empty_outcome_is_an_error(served: Served, media: Maker) -> None:
    with pytest.raises(InvalidRequestError, match="nothing of it is left"):
        await served.model("frame").transform(media("silent.mp4"), extra={"at": 2.0})


async def test_without_any_ffmpeg_the_caller_is_told(
    served: Served, media: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    monkeypatch.setattr(binary.shutil, "which", lambda _: None)
    with pytest.raises(PreconditionError, match="there is no ffmpeg"):
        await served.model("convert").transform(media("tone.wav"))


@pytest.mark.parametrize("path", ["/nowhere/ffmpeg", sys.executable])
async def test_settings_that_name_no_ffmpeg_are_refused(path: str) -> None:
    with pytest.raises(InvalidRequestError, match="ffmpeg_path"):
        async with serve(Ffmpeg(), settings={"ffmpeg_path": path}):
            pass


async def test_a_configured_ffmpeg_is_used(media: Maker, ffmpeg: str, tmp_path: Path) -> None:
    used = tmp_path / "used"
    own = tmp_path / "own-ffmpeg"
    own.write_text(f'#!/bin/sh\necho "$@" >> {used}\nexec {ffmpeg} "$@"\n')
    own.chmod(0o755)
    async with serve(Ffmpeg(), settings={"ffmpeg_path": str(own), "threads": 1}) as served:
        assert (await served.model("convert").transform(media("tone.wav"))).data
    assert "-threads 1" in used.read_text()


@linux
async def test_leaving_the_loop_kills_ffmpeg(served: Served) -> None:
    async with asyncio.timeout(30):
        async with served.model("convert").stream(Media(endless(), "audio/wav")) as stream:
            async for event in stream:
                if isinstance(event, DataDelta):
                    break
            [pid] = children()
        await gone(pid)


@linux
async def test_a_deadline_kills_ffmpeg(served: Served) -> None:
    pids: list[int] = []
    with pytest.raises(CallTimeoutError):
        await listen(served, endless(), lambda: pids.extend(children()), timeout=1.0)
    await gone(pids[0])


@linux
async def test_an_ffmpeg_that_dies_is_a_typed_error(served: Served) -> None:
    def kill() -> None:
        for pid in children():
            os.kill(pid, signal.SIGKILL)

    with pytest.raises(UnavailableError, match="SIGKILL") as caught:
        await listen(served, endless(), kill)
    assert caught.value.reason is Reason.VENDOR_UNAVAILABLE


@linux
async def test_an_upload_that_fails_kills_ffmpeg(served: Served) -> None:
    pids: list[int] = []
    heard = asyncio.Event()

    async def breaking() -> AsyncIterator[bytes]:
        yield wav_header() + bytes(200_000)
        await heard.wait()
        raise RuntimeError("the microphone broke")

    def note() -> None:
        pids.extend(children())
        heard.set()

    with pytest.raises(Exception, match="microphone broke"):
        await listen(served, breaking(), note)
    await gone(pids[0])


async def listen(
    served: Served, sound: AsyncIterator[bytes], on_first: Callable[[], None], timeout: float = 30.0
) -> None:
    """Converts until the end, and does something once output comes."""
    first = True
    async for event in served.model("convert").stream(Media(sound, "audio/wav"), timeout=timeout):
        if isinstance(event, DataDelta) and first:
            first = False
            on_first()


class Feed:
    """An input of a known number of blocks."""

    def __init__(self, blocks: int, error: Exception | None = None) -> None:
        self.left = blocks
        self.error = error
        self.exhausted = asyncio.Event()

    async def chunks(self) -> AsyncIterator[bytes]:
        yield wav_header()
        while self.left:
            self.left -= 1
            yield bytes(65536)
        self.exhausted.set()
        if self.error is not None:
            raise self.error


def copying(ffmpeg: str, feed: Feed) -> Run:
    def failed(status: int, log: Sequence[str]) -> Exception:
        return RuntimeError(f"{status}: {log}")

    command = [ffmpeg, "-nostdin", "-loglevel", "level+info", "-i", "pipe:0", "-f", "wav", "pipe:1"]
    return Run(
        lambda _: command,
        feed=feed,  # type: ignore[arg-type]
        check=lambda _: None,
        failed=failed,
        look=lambda _: None,
    )


async def test_a_reader_that_stops_stops_ffmpeg(ffmpeg: str) -> None:
    feed = Feed(blocks=500)
    async with copying(ffmpeg, feed) as run:
        items = aiter(run)
        got = len(await anext(items))  # type: ignore[arg-type]
        # Nothing is taken for a while; 32 MB cannot all have gone into pipes and buffers.
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await feed.exhausted.wait()
        assert feed.left > 300
        async for item in items:
            got += len(item) if isinstance(item, bytes) else 0
        assert feed.exhausted.is_set()
    assert got >= 500 * 65536


async def test_an_input_that_fails_ends_the_run_with_its_own_error(ffmpeg: str) -> None:
    feed = Feed(blocks=5, error=InvalidRequestError.at("turns[0].parts[0]", "is too large"))
    async with asyncio.timeout(30), copying(ffmpeg, feed) as run:
        with pytest.raises(InvalidRequestError, match="too large"):
            assert [item async for item in run] == []


async def test_a_picture_that_unfolds_into_gigabytes_is_refused(served: Served, media: Maker) -> None:
    path = media("huge.png")
    assert path.stat().st_size < 1_000_000
    with pytest.raises(InvalidRequestError, match="9000x8000"):
        await served.model("animate").transform(path)


async def test_a_file_that_is_cut_short_is_told_as_that(served: Served, media: Maker) -> None:
    data = media("tone.m4a").read_bytes()[:5000]
    with pytest.raises(InvalidRequestError, match="moov atom not found"):
        await served.model("convert").transform(Media(data, "audio/mp4"))


@linux
async def test_cancelling_the_owner_ends_everything(ffmpeg: str) -> None:
    started: asyncio.Queue[int] = asyncio.Queue()

    async def own() -> None:
        async with copying(ffmpeg, Feed(blocks=10_000)) as run:
            async for _ in run:
                started.put_nowait(children()[0])

    owner = asyncio.ensure_future(own())
    pid = await started.get()
    tasks_before = {task.get_name() for task in asyncio.all_tasks()}
    assert "ffmpeg watch" in tasks_before
    owner.cancel()
    with pytest.raises(asyncio.CancelledError):
        await owner
    assert pid not in children()
    assert not {task.get_name() for task in asyncio.all_tasks()} & {"ffmpeg watch", "ffmpeg stdin", "ffmpeg stdout"}
