"""Cancelling, deadlines, places, and authors who do not give way."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mediaconduit.errors import Reason
from mediaconduit.v1 import provider_pb2

from .conftest import Sidecar, error_of, text_of, until_text


async def records(sidecar: Sidecar, wanted: int) -> list[Any]:
    """The records of the calls that ended, once there are so many."""
    watch = sidecar.stub.WatchGenerations(provider_pb2.WatchGenerationsRequest())
    found: list[Any] = []
    while len(found) < wanted:
        found += (await watch.read()).generations
    watch.cancel()
    return found


@pytest.mark.parametrize("model", ["cleans_up", "stalls_in_group"], ids=["at-an-await", "at-a-yield"])
async def test_cancelling_reaches_the_author_whose_clean_up_runs_to_its_end(sidecar: Sidecar, model: str) -> None:
    call = sidecar.call(model, "hi")
    await until_text(call)
    call.cancel()
    (record,) = await records(sidecar, 1)
    assert record.error.code == grpc.StatusCode.CANCELLED.value[0]
    log = sidecar.log.read_text()
    assert "events: cleaned up" in log and "Traceback" not in log and "<3>" not in log
    assert (await sidecar.describe()).active_calls == 0


async def test_a_lost_connection_cancels(sidecar: Sidecar) -> None:
    from mediaconduit.channels import open_channel
    from mediaconduit.v1 import provider_pb2_grpc

    from .conftest import request

    async with open_channel(sidecar.target) as other:
        await until_text(provider_pb2_grpc.MediaProviderStub(other).Transform(request("cleans_up", "hi")))
    (record,) = await records(sidecar, 1)
    assert record.error.code == grpc.StatusCode.CANCELLED.value[0]


async def test_a_plain_generator_is_closed_at_its_next_yield(sidecar: Sidecar, folder: Path) -> None:
    call = sidecar.call("stuck_thread", str(folder / "go"))
    await until_text(call)
    call.cancel()
    (folder / "go").touch()
    await records(sidecar, 1)
    assert (await sidecar.describe()).active_calls == 0


async def test_a_call_still_blocked_after_its_cancel_keeps_its_place_and_is_counted(
    sidecar: Sidecar, folder: Path
) -> None:
    calls = [sidecar.call("stuck_thread", str(folder / "go")) for _ in range(3)]
    for call in calls:
        await until_text(call)
        call.cancel()
    described = await sidecar.until(lambda answer: answer.stuck_calls == 3)
    assert described.active_calls == 3
    error = await sidecar.fails("shout")
    assert (error.code, error.reason) == ("RESOURCE_EXHAUSTED", Reason.OVERLOADED)
    assert error.metadata == {"limit": "3", "stuck": "3"} and error.retry_after
    (folder / "go").touch()
    await sidecar.until(lambda answer: answer.active_calls == answer.stuck_calls == 0)
    assert text_of(await sidecar.events("shout", "again")) == "AGAIN "


async def test_one_call_too_many_is_refused_with_the_limit(sidecar: Sidecar) -> None:
    calls = [sidecar.call("silent", "hi") for _ in range(3)]
    for call in calls:
        await call.read()
    error = await sidecar.fails("shout")
    assert (error.reason, error.metadata["limit"]) == (Reason.OVERLOADED, "3") and "3" in error.message
    for call in calls:
        call.cancel()
    await sidecar.until(lambda answer: answer.active_calls == 0)


async def test_an_author_who_ignores_cancel_is_counted_and_does_not_stop_the_exit(sidecar: Sidecar) -> None:
    call = sidecar.call("stubborn", "hi")
    await until_text(call)
    call.cancel()
    await sidecar.until(lambda answer: answer.stuck_calls == 1)
    assert sidecar.process.stdin is not None
    sidecar.process.stdin.close()
    assert await sidecar.process.wait() == 0


async def test_the_author_sees_the_deadline_and_is_cancelled_at_it(sidecar: Sidecar) -> None:
    call = sidecar.call("remaining", "hi", timeout=0.5)
    error = await error_of(call)
    assert (error.code, error.reason) == ("DEADLINE_EXCEEDED", Reason.DEADLINE_EXCEEDED)
    (record,) = await records(sidecar, 1)
    assert record.error.code == grpc.StatusCode.DEADLINE_EXCEEDED.value[0]
    assert text_of(await sidecar.events("shout", "on")) == "ON "


async def test_the_first_output_leaves_before_an_author_who_then_blocks(sidecar: Sidecar) -> None:
    call = sidecar.call("blocks_after_first", "0.5")
    texts = []
    while (message := await call.read()) is not grpc.aio.EOF:
        texts.append(text_of(message.events))
    assert [text for text in texts if text] == ["first", "second"]


async def test_health_answers_while_an_author_floods(sidecar: Sidecar) -> None:
    call = sidecar.call("many", "3000000")

    async def drain() -> None:
        while await call.read() is not grpc.aio.EOF:
            pass

    health = health_pb2_grpc.HealthStub(sidecar.channel)
    await call.read()
    async with asyncio.TaskGroup() as group:
        draining = group.create_task(drain())
        answered = 0
        while not draining.done() and answered < 20:
            await health.Check(health_pb2.HealthCheckRequest())
            answered += 1
        assert not draining.done(), "all twenty answers came while the flood went on"
        call.cancel()
        draining.cancel()
    await sidecar.until(lambda answer: answer.active_calls == 0)


async def test_a_reader_that_stops_stalls_the_author(sidecar: Sidecar) -> None:
    call = sidecar.call("stall", "1000")
    await call.read()
    made = -1
    while made != (now := await _made(sidecar)):
        made = now
        await asyncio.sleep(0.3)
    assert made < 4_000_000, "of 65 MB the author made no more than fits between it and the reader"
    call.cancel()


async def _made(sidecar: Sidecar) -> int:
    return int(text_of(await sidecar.events("made")))
