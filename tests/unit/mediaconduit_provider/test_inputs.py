from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from mediaconduit.errors import InvalidRequestError
from mediaconduit.tasks import start
from mediaconduit.v1.media_pb2 import Asset, Part
from mediaconduit_provider.inputs import ArrivingInput, WholeInput


class Waits:
    """Counts who waits, as a call does."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self, change: int) -> None:
        self.now += change


def whole(part: Part, folder: Path) -> WholeInput:
    return WholeInput(part, "turns[0].parts[0]", lambda: folder / "file")


def arriving(folder: Path, waits: Waits | None = None) -> ArrivingInput:
    part = Part(name="voice", media_type="audio/wav", stream=1)
    return ArrivingInput(part, "turns[0].parts[0]", lambda: folder / "file", waits or Waits())


@pytest.mark.parametrize("part", [Part(text="hé"), Part(media_type="text/plain", data="hé".encode())])
async def test_whole_content_reads_the_same_in_every_way(part: Part, tmp_path: Path) -> None:
    given, expected = whole(part, tmp_path), "hé".encode()
    assert await given.read() == expected and given.size == 3
    assert b"".join([chunk async for chunk in given.chunks()]) == expected
    assert (await given.path()).read_bytes() == expected
    with given.open() as source:
        assert source.read() == expected


async def test_a_reference_has_an_address_and_no_content(tmp_path: Path) -> None:
    given = whole(Part(asset=Asset(uri="https://x/y", media_type="audio/wav", size_bytes=9)), tmp_path)
    assert (given.uri, given.media_type, given.size) == ("https://x/y", "audio/wav", 9)
    with pytest.raises(InvalidRequestError):
        await given.read()


async def test_content_is_read_while_it_arrives(tmp_path: Path) -> None:
    given = arriving(tmp_path)
    chunks = given.chunks()
    await given.feed(b"a")
    assert await anext(chunks) == b"a" and given.size is None
    await given.feed(b"b", flush=True)
    assert [await anext(chunks), await anext(chunks)] == [b"b", b""], "a flush is an empty chunk"
    given.end()
    assert [chunk async for chunk in chunks] == [] and given.size == 2


async def test_what_arrived_in_pieces_is_read_once(tmp_path: Path) -> None:
    given = arriving(tmp_path)
    await given.feed(b"a")
    given.end()
    assert await given.read() == b"a"
    with pytest.raises(RuntimeError, match="once"):
        await given.read()
    with pytest.raises(RuntimeError, match="once"):
        await given.path()


async def test_a_path_holds_what_came_before_and_after_it_was_asked_for_and_is_read_again(tmp_path: Path) -> None:
    given = arriving(tmp_path)
    await given.feed(b"a")
    waiting = start(given.path(), name="path")
    while not (tmp_path / "file").exists():  # noqa: ASYNC110 - the first thing it does
        await asyncio.sleep(0)
    await given.feed(b"b")
    given.end()
    assert (await waiting).read_bytes() == b"ab"
    assert await given.read() == await given.read() == b"ab"


async def test_a_reader_goes_on_in_the_file_when_the_rest_was_spooled(tmp_path: Path) -> None:
    given = arriving(tmp_path)
    chunks = given.chunks()
    await given.feed(b"a")
    assert await anext(chunks) == b"a"
    await given.feed(b"b")
    await given.spool()
    assert await anext(chunks) == b"b"
    rest = start(anext(chunks), name="rest")  # type: ignore[arg-type]
    await given.feed(b"c")
    assert await rest == b"c"
    given.end()
    assert [chunk async for chunk in chunks] == []


async def test_it_is_full_until_somebody_reads(tmp_path: Path) -> None:
    given = arriving(tmp_path)
    await given.feed(b"x" * ArrivingInput.high_water)
    assert given.full
    room = start(given.room(), name="room")
    await asyncio.sleep(0)
    chunks = given.chunks()
    await anext(chunks)
    await room
    assert not given.full
    await chunks.aclose()  # type: ignore[attr-defined]


async def test_who_waits_is_counted_and_gets_the_error(tmp_path: Path) -> None:
    waits = Waits()
    given = arriving(tmp_path, waits)
    reading = start(given.read(), name="read")
    while not waits.now:  # noqa: ASYNC110 - until it waits
        await asyncio.sleep(0)
    given.fail(InvalidRequestError("too large"))
    with pytest.raises(InvalidRequestError, match="too large"):
        await reading
    assert waits.now == 0


async def test_a_thread_gets_a_file_once_all_has_come(tmp_path: Path) -> None:
    given = arriving(tmp_path)

    def author() -> bytes:
        with given.open() as source:
            return source.read()

    reading = start(asyncio.to_thread(author), name="author")
    await given.feed(b"a")
    given.end()
    assert await reading == b"a"
    with pytest.raises(RuntimeError, match="plain transforms"):
        arriving(tmp_path).open()
