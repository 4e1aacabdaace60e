import asyncio
import random

from mediaconduit_broker.turns import Turn, Turns


async def queued(turns: Turns, count: int = 1, *, urgent: bool = False) -> list[asyncio.Task[Turn]]:
    tasks = [asyncio.ensure_future(turns.take(urgent=lambda: urgent)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_turns_go_to_those_who_wait_in_order() -> None:
    turns = Turns(1)
    mine = await turns.take()
    first, second = await queued(turns, 2)
    assert (turns.waiting, first.done()) == (2, False)
    mine.end()
    with await first:
        assert not second.done()
    (await second).end()
    with await turns.take():
        assert turns.waiting == 0


async def test_those_a_call_waits_for_go_first_also_when_it_comes_later() -> None:
    turns = Turns(1)
    mine = await turns.take()
    called = False
    (load,) = await queued(turns)
    late = asyncio.ensure_future(turns.take(urgent=lambda: called))
    await asyncio.sleep(0)
    called = True
    mine.end()
    with await late:
        assert not load.done()
    (await load).end()


async def test_a_turn_ends_once_whoever_ends_it() -> None:
    turns = Turns(1)
    with await turns.take() as mine:
        mine.end()
        first, second = await queued(turns, 2)
        await first
    assert not second.done()
    first.result().end()
    (await second).end()


async def test_a_turn_that_takes_long_is_passed_on_and_given_back_once() -> None:
    turns = Turns(1, longest=0)
    slow = await turns.take()
    quick, last = await queued(turns, 2)
    quick.add_done_callback(lambda _: slow.end())
    await quick
    await last
    slow.end()
    one = await Turns(1).take()
    one.end()
    assert turns.waiting == 0


async def test_who_is_told_hears_how_many_are_before_and_each_time_these_are_half() -> None:
    turns, heard = Turns(1), []
    mine = await turns.take(told=heard.append)
    before = await queued(turns, 5)
    last = asyncio.ensure_future(turns.take(told=heard.append))
    await asyncio.sleep(0)
    mine.end()
    for one in before:
        (await one).end()
    (await last).end()
    assert heard == [5, 2, 1, 0]


async def test_who_leaves_the_queue_takes_no_turn() -> None:
    turns, heard = Turns(1), []
    mine = await turns.take()
    (left,) = await queued(turns)
    stays = asyncio.ensure_future(turns.take(told=heard.append))
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.wait([left])
    assert (turns.waiting, heard) == (1, [1, 0])
    mine.end()
    (await stays).end()


async def test_a_turn_that_comes_with_a_cancellation_goes_on_to_the_next() -> None:
    turns = Turns(1)
    mine = await turns.take()
    cancelled, stays = await queued(turns, 2)
    mine.end()
    cancelled.cancel()
    await asyncio.wait([cancelled])
    (await stays).end()


async def test_no_turn_is_ever_lost_or_given_twice(rng: random.Random) -> None:
    turns, inside = Turns(3), 0

    async def go() -> None:
        nonlocal inside
        with await turns.take(urgent=lambda: rng.random() < 0.3):
            inside += 1
            assert inside <= 3
            try:
                await asyncio.sleep(0)
            finally:
                inside -= 1

    tasks = [asyncio.ensure_future(go()) for _ in range(300)]
    for _ in range(60):
        await asyncio.sleep(0)
        rng.choice(tasks).cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert [task for task in tasks if not task.cancelled() and task.exception()] == []
    assert (inside, turns.waiting) == (0, 0)
    for turn in [await turns.take() for _ in range(3)]:
        turn.end()
