"""Sidecars that die, misbehave, or do not listen."""

from __future__ import annotations

import asyncio
import os
import signal

import psutil
import pytest
from mediaconduit.client import Client
from mediaconduit.errors import InternalError, Reason, UnavailableError

from tests.support.brokers import load

SECRET = "sk-verysecret"


async def logs(client: Client, provider: str = "faulty") -> str:
    answers = [answer async for answer in client.broker.tail_logs(provider, lines=1000)]
    return "\n".join(line.text for answer in answers for line in answer.lines)


@pytest.mark.parametrize(("model", "key", "value"), [("exit", "exit_code", "3"), ("kill", "signal", "9")])
async def test_a_crash_names_code_or_signal_and_the_next_call_works(
    faulty: Client, model: str, key: str, value: str
) -> None:
    stream = faulty.model(f"faulty/{model}").stream("x")
    seen = ""
    async with stream:
        events = aiter(stream)
        while not seen:
            seen += (await anext(events)).text
        with pytest.raises(UnavailableError) as caught:
            await anext(events)

    assert seen == "before"
    assert caught.value.reason is Reason.PROVIDER_CRASHED
    assert caught.value.metadata[key] == value
    assert caught.value.metadata["error_id"] in caught.value.message
    assert (await faulty.model("faulty/echo").transform("alive")).text == "alive "
    (provider,) = await faulty.broker.list()
    assert provider.start_count == 2


async def test_what_a_dying_child_wrote_is_in_its_logs_and_not_in_the_error(faulty: Client) -> None:
    with pytest.raises(UnavailableError) as caught:
        await faulty.model("faulty/exit").transform("x")
    assert SECRET not in repr(vars(caught.value))
    assert "last words" in await logs(faulty)


async def test_a_crash_of_one_provider_leaves_the_streams_of_others_alone(faulty: Client) -> None:
    await load(faulty, "./faulty", provider_id="healthy")
    async with faulty.model("healthy/endless").stream("x") as stream:
        events = aiter(stream)
        await anext(events)
        with pytest.raises(UnavailableError):
            await faulty.model("faulty/kill").transform("x")
        seen = [await anext(events) for _ in range(20)]
    assert any(event.text for event in seen)


async def test_settings_survive_a_kill(client: Client) -> None:
    await load(client, "./faulty", settings={"greeting": "hello"})
    greeting, pid = (await client.model("faulty/greet").transform("x")).text.split()
    os.kill(int(pid), signal.SIGKILL)
    again, new_pid = (await client.model("faulty/greet").transform("x")).text.split()
    assert (greeting, again) == ("hello", "hello")
    assert new_pid != pid


async def test_an_unknown_exception_leaves_only_an_error_id(faulty: Client) -> None:
    with pytest.raises(InternalError) as caught:
        await faulty.model("faulty/raise").transform("x")
    error = caught.value
    assert SECRET not in repr(vars(error))
    assert "ValueError" not in repr(vars(error))
    assert error.metadata["error_id"] in await logs(faulty)
    assert SECRET in await logs(faulty)


async def test_a_flood_on_stdout_harms_nobody(faulty: Client) -> None:
    before = psutil.Process().memory_info().rss
    assert (await faulty.model("faulty/flood").transform("x")).text == "done"
    assert psutil.Process().memory_info().rss - before < 32_000_000
    assert (await faulty.model("faulty/echo").transform("fine")).text == "fine "


async def test_code_that_ignores_its_cancel_keeps_its_place_and_is_seen(faulty: Client) -> None:
    async with faulty.model("faulty/stubborn").stream("x") as stream:
        async for event in stream:
            if event.text:
                break
    async with asyncio.timeout(20):
        while not (provider := (await faulty.broker.list())[0]).stuck_calls:
            pass  # listing asks the sidecar each time
    assert provider.stuck_calls == 1
    assert (await faulty.model("faulty/echo").transform("fine")).text == "fine "


async def test_logs_can_be_followed(faulty: Client) -> None:
    texts: list[str] = []
    async with faulty.broker.tail_logs("faulty", lines=0, follow=True) as feed, asyncio.timeout(10):
        answers = aiter(feed)
        first = asyncio.ensure_future(anext(answers))
        with pytest.raises(UnavailableError):
            await faulty.model("faulty/exit").transform("x")
        texts += [line.text for line in (await first).lines]
        while not any("exited with code 3" in text for text in texts):
            texts += [line.text for line in (await anext(answers)).lines]
    assert any("last words" in text for text in texts)
