"""An input that goes to a file while it arrives."""

import asyncio
from pathlib import Path

import pytest
from mediaconduit.v1.media_pb2 import Part
from mediaconduit_provider.inputs import ArrivingInput

pytestmark = pytest.mark.unit


def _ignore(change: int) -> None:
    """Nobody counts who waits."""


async def test_a_file_holds_everything_in_order_however_fast_it_arrives(tmp_path: Path) -> None:
    pieces = [bytes([number]) * 4096 for number in range(200)]

    async def feed(arriving: ArrivingInput) -> None:
        for piece in pieces:
            await arriving.feed(piece)
            await asyncio.sleep(0)  # lets the spooling begin somewhere in between
        arriving.end()

    for attempt in range(50):
        path = tmp_path / str(attempt)
        arriving = ArrivingInput(Part(media_type="audio/wav", stream=1), "turns[0]", lambda path=path: path, _ignore)
        async with asyncio.TaskGroup() as group:
            group.create_task(feed(arriving))
            await asyncio.sleep(0)
            spooled = await arriving.path()
        assert spooled.read_bytes() == b"".join(pieces)
