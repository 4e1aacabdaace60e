import asyncio

from mediaconduit_broker.runners.logs import BYTES_PER_SECOND, KEPT_LINES, LINE_BYTES, LineReader, LogBuffer


async def read(*chunks: bytes) -> LogBuffer:
    stream, logs = asyncio.StreamReader(), LogBuffer()
    for chunk in chunks:
        stream.feed_data(chunk)
    stream.feed_eof()
    await LineReader(stream, logs).run()
    return logs


async def test_lines_are_put_together_from_pieces_and_levels_read_from_their_prefix() -> None:
    logs = await read(b"<3>it bro", b"ke\nplain\n\n<7>detail\xff")
    assert [(r.level, r.text) for r in logs.tail(10)] == [
        ("error", "it broke"),
        ("info", "plain"),
        ("debug", "detail\ufffd"),
    ]


async def test_a_line_without_end_is_cut() -> None:
    logs = await read(b"x" * (3 * LINE_BYTES))
    assert max(len(record.text) for record in logs.tail(10)) == LINE_BYTES


async def test_a_flood_keeps_memory_bounded() -> None:
    logs = await read(*[b"y" * 99 + b"\n"] * (3 * BYTES_PER_SECOND // 100))
    assert len(logs.tail(10**9)) <= KEPT_LINES
    assert logs.last_number > KEPT_LINES


async def test_a_follower_gets_new_lines_and_is_told_of_lost_ones() -> None:
    logs = LogBuffer()
    logs.append("old")
    following = logs.follow(logs.last_number)
    waiting = asyncio.ensure_future(anext(following))
    await asyncio.sleep(0)
    assert not waiting.done()
    logs.append("new")
    records, lost = await waiting
    assert ([r.text for r in records], lost) == (["new"], 0)
    logs.drop(7)
    logs.append("later")
    records, lost = await anext(following)
    assert ([r.text for r in records], lost) == (["later"], 7)
    await following.aclose()
