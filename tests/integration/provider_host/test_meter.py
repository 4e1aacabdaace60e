"""What a call consumed is recorded also when its author did not come to say it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from mediaconduit.errors import MediaConduitError
from mediaconduit.tasks import cancel_and_join, start
from mediaconduit.v1.generations_pb2 import Generation
from mediaconduit_provider import Call, Model, Provider, Usage
from mediaconduit_provider.outputs import Yielded
from mediaconduit_provider.testing import Served, serve


class Metered(Provider):
    """Counts its words; ends as its input says."""

    models = (Model("m", ("text-to-text",)),)

    def __init__(self) -> None:
        self.entered = asyncio.Event()

    async def transform(self, call: Call) -> AsyncIterator[Yielded]:
        written = 0

        def consumed() -> Usage:
            if call.text == "broken":
                raise ValueError("a meter that fails")
            return Usage(units={"output-token": written}, estimated=True)

        call.meter(consumed)
        for word in ("one ", "two "):
            written += 1
            yield word
        if call.text == "counted":
            yield Usage(units={"output-token": 77})
        if call.text == "fail":
            raise RuntimeError("of the author's own")
        if call.text == "hang":
            self.entered.set()
            await asyncio.Event().wait()


async def record(served: Served) -> Generation:
    async with asyncio.timeout(10):
        call = served.host.generations.watch("")
        try:
            return (await anext(call))[-1]
        finally:
            await call.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize(("said", "count"), [("done", 2), ("counted", 77), ("fail", 2), ("broken", 0)])
async def test_the_meter_is_read_unless_usage_was_told(said: str, count: int) -> None:
    async with serve(Metered()) as served:
        try:
            await served.model("m").transform(said)
        except MediaConduitError:
            assert said == "fail"
        assert (await record(served)).usage.units["output-token"] == count


async def test_a_call_that_is_cancelled_is_counted() -> None:
    provider = Metered()
    async with serve(provider) as served:
        caller = start(served.model("m").transform("hang"), name="caller")
        await provider.entered.wait()
        await cancel_and_join(caller)
        found = await record(served)
        assert (found.usage.units["output-token"], found.usage.estimated) == (2, True)
