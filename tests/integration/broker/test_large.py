"""Inputs and outputs that fit into no message."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from mediaconduit import Media
from mediaconduit.client import Client
from mediaconduit.errors import InvalidRequestError, Reason

MIB = 1024 * 1024


async def test_a_large_file_goes_in_and_comes_out_unchanged(faulty: Client, tmp_path: Path) -> None:
    source, copy = tmp_path / "in.wav", tmp_path / "out.wav"
    block = hashlib.sha256(b"seed").digest() * (MIB // 32)
    with source.open("wb") as file:
        for number in range(40):
            file.write(bytes([number]) + block[1:])

    await faulty.model("faulty/copy").transform(source, to=copy)

    assert copy.read_bytes() == source.read_bytes()


@pytest.mark.parametrize("size", [MIB - 1, MIB, MIB + 1, 4 * MIB])
async def test_every_size_around_the_switch_to_chunks_arrives(faulty: Client, size: int) -> None:
    content = bytes(size)
    result = await faulty.model("faulty/copy").transform(Media(content, "audio/wav"))
    assert result.data == content


async def test_an_upload_over_the_models_limit_is_refused_before_it_has_arrived(faulty: Client, tmp_path: Path) -> None:
    huge = tmp_path / "huge.wav"
    with huge.open("wb") as file:
        file.truncate(1024 * MIB)

    with pytest.raises(InvalidRequestError) as caught:
        await faulty.model("faulty/small").transform(huge)

    assert caught.value.reason is Reason.INPUT_TOO_LARGE
    assert caught.value.metadata["limit"] == "10000000"
    assert (await faulty.model("faulty/echo").transform("fine")).text == "fine "


async def test_a_media_type_the_model_does_not_take_is_refused(faulty: Client) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await faulty.model("faulty/small").transform(Media(b"x" * 100, "image/png"))
    assert "audio/*" in str(caught.value)


async def test_a_reader_that_stops_stops_the_author(faulty: Client) -> None:
    made, before = -1, -2
    async with faulty.model("faulty/hose").stream("x") as stream:
        await anext(aiter(stream))
        # There is no event for "nothing happens": two equal answers in a row, with calls between, say it.
        while made != before:
            before, made = made, int((await faulty.model("faulty/hosed").transform("x")).text)
    assert 0 < made < 4 * MIB
