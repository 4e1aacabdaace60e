"""No secret gets into what a sidecar has written, however it arrives."""

import itertools

from mediaconduit_broker.runners.logs import BYTES_PER_SECOND, LINE_BYTES, LineReader, LogBuffer
from mediaconduit_broker.secrets import Secret

VALUE = "sk-Very_Private/Value-0123456789"
PARTS = [VALUE[i : i + 6] for i in range(len(VALUE) - 5)]


async def read(*chunks: bytes) -> list[str]:
    logs = LogBuffer()
    logs.redactor.add([Secret(VALUE)])
    await LineReader(_Pieces(chunks), logs).run()  # type: ignore[arg-type]
    return [record.text for record in logs.tail(10**9)]


class _Pieces:
    """A pipe that gives exactly these pieces."""

    def __init__(self, chunks: tuple[bytes, ...]) -> None:
        self._chunks = iter(chunks)

    async def read(self, size: int) -> bytes:
        return next(self._chunks, b"")


def clean(lines: list[str]) -> bool:
    """Not even six characters in a row of it are left."""
    return not any(part in line for part, line in itertools.product(PARTS, lines))


async def test_a_value_split_over_pieces_anywhere_is_found() -> None:
    line = f"<3>key {VALUE} end\n".encode()
    for cut in range(1, len(line)):
        assert await read(line[:cut], line[cut:]) == ["key *** end"]


async def test_a_value_at_the_place_where_a_line_is_cut_leaves_no_beginning() -> None:
    for before in range(LINE_BYTES - len(VALUE) - 2, LINE_BYTES + 2):
        lines = await read(b"x" * before + VALUE.encode() + b"\n")
        assert clean(lines)
        assert all(len(line) <= LINE_BYTES for line in lines)


async def test_a_line_without_end_gives_no_part_of_a_value_wherever_its_pieces_end() -> None:
    block = b"y" * (2 * LINE_BYTES) + VALUE.encode()
    endless = block * 4
    for size in (4096, len(block) - 9, len(block) - len(VALUE) + 1, 65536):
        lines = await read(*(endless[i : i + size] for i in range(0, len(endless), size)))
        assert clean(lines)
        assert any("***" in line for line in lines)


async def test_after_a_flood_the_rest_of_a_torn_line_is_dropped() -> None:
    flood = b"z" * (BYTES_PER_SECOND + 1) + VALUE[:12].encode()
    stream, logs = _Pieces((flood, VALUE[12:].encode() + b" tail\nwhole\n")), LogBuffer()
    logs.redactor.add([Secret(VALUE)])
    reader = LineReader(stream, logs)  # type: ignore[arg-type]
    over = iter([True, False])
    reader._over_budget = lambda size: next(over)  # type: ignore[method-assign]
    await reader.run()
    assert [record.text for record in logs.tail(9)] == ["whole"]


async def test_lines_of_the_broker_itself_are_cleaned_too() -> None:
    logs = LogBuffer()
    logs.redactor.add([Secret(VALUE)])
    logs.append(f"the sidecar said {VALUE}", "warning")
    assert [(record.level, record.text) for record in logs.tail(1)] == [("warning", "the sidecar said ***")]
