"""Environments come whole or not at all, belong to one provider, and go when nobody needs them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mediaconduit.client import Client
from mediaconduit.errors import PreconditionError, Reason
from mediaconduit_broker.environments import BuildStep, EnvironmentBuilder
from mediaconduit_broker.environments.lease import Lease

from tests.support.brokers import GOOD, broker, load, write_provider

from .conftest import ask, write


def left(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where `builder` works."""
    return tmp_path / "state" / "environments"


async def test_a_provider_that_edits_its_packages_changes_no_other(builder: EnvironmentBuilder, tmp_path: Path) -> None:
    folder = write(tmp_path / "mine", '["six"]')
    one, other = await asyncio.gather(builder.ensure(ask(folder, "one")), builder.ensure(ask(folder, "other")))
    try:
        assert one.folder != other.folder
        edited, untouched = (next(made.folder.glob("lib/python*/site-packages/six.py")) for made in (one, other))
        edited.write_text("evil")
        assert untouched.read_text() != "evil"
        again = await builder.ensure(ask(write(tmp_path / "another", '["six"]'), "one"))
        again.release()
        assert again.folder != one.folder, "another repository under the same name does not inherit it"
        assert untouched.stat().st_nlink == 1, "it is not the cache's file either"
    finally:
        one.release()
        other.release()


async def test_two_processes_that_build_the_same_both_get_it(tmp_path: Path, root: Path) -> None:
    builders = [EnvironmentBuilder(root, os.environ, timeout=120) for _ in range(2)]
    folder = write(tmp_path / "mine")
    made = await asyncio.gather(*(builder.ensure(ask(folder)) for builder in builders))
    try:
        assert made[0].folder == made[1].folder
        assert left(root) == [made[0].folder.name]
    finally:
        for environment in made:
            environment.release()


async def test_a_build_that_is_given_up_leaves_nothing(tmp_path: Path, root: Path) -> None:
    builder = EnvironmentBuilder(root, os.environ, timeout=120)
    begun = asyncio.Event()

    def report(step: BuildStep) -> None:
        begun.set()

    asked = asyncio.ensure_future(builder.ensure(ask(write(tmp_path / "mine", '["six"]')), report))
    await begun.wait()
    assert [name[0] for name in left(root)] == ["."]
    await builder.aclose()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert left(root) == []


async def test_a_build_that_fails_or_takes_too_long_leaves_nothing_but_its_log(
    builder: EnvironmentBuilder, tmp_path: Path, root: Path
) -> None:
    with pytest.raises(PreconditionError):
        await builder.ensure(ask(write(tmp_path / "mine", '["six==99.99"]')))
    assert left(root) == []
    _, log = builder.journal.last_log("mine") or (0, "")
    assert "pip install" in log
    assert "six==99.99" in log
    hasty = EnvironmentBuilder(root, os.environ, timeout=0.01)
    with pytest.raises(PreconditionError, match=r"longer than 0.01 s"):
        await hasty.ensure(ask(write(tmp_path / "mine", '["six"]')))
    assert left(root) == []


async def test_what_a_killed_build_left_goes_when_a_broker_starts(
    builder: EnvironmentBuilder, tmp_path: Path, root: Path
) -> None:
    (await builder.ensure(ask(write(tmp_path / "mine")))).release()
    (finished,) = left(root)
    for name in (".dead", ".alive"):
        (root / name / "lib").mkdir(parents=True)
    lease = Lease.take(root / ".alive", alone=True)
    assert lease is not None
    try:
        await builder.clean_up()
    finally:
        lease.release()
    assert left(root) == sorted([".alive", finished])


async def test_beyond_the_cap_the_least_recently_used_goes_and_never_what_is_in_use(tmp_path: Path, root: Path) -> None:
    builder = EnvironmentBuilder(root, os.environ, timeout=120, cap=1)
    folder = write(tmp_path / "mine")
    held = await builder.ensure(ask(folder, "held"))
    try:
        idle = await builder.ensure(ask(folder, "idle"))
        idle.release()
        newest = await builder.ensure(ask(folder, "newest"))
        try:
            assert left(root) == sorted([held.folder.name, newest.folder.name])
        finally:
            newest.release()
    finally:
        held.release()
    await builder.clean_up()
    assert left(root) == []


async def test_a_broker_frees_what_no_provider_of_it_uses(tmp_path: Path) -> None:
    state = tmp_path / "state"
    mine = write_provider(tmp_path / "mine", GOOD)

    def gc(*options: str) -> list[dict[str, object]]:
        command = [sys.executable, "-m", "mediaconduit_broker.cli", "gc", "--state-dir", str(state), "--json", *options]
        found: list[dict[str, object]] = json.loads(subprocess.check_output(command))
        return found

    async with broker(state) as (_, client):
        await load(client, str(mine))
        await load(client, str(mine), provider_id="other")
        await client.broker.unload("other")
        listed = await asyncio.to_thread(gc, "--dry-run")
        assert {(one["provider"], one["in_use"], one["would_remove"]) for one in listed} == {
            ("mine", True, False),
            ("other", False, True),
        }
        assert all(int(str(one["size_bytes"])) > 1_000_000 for one in listed)
        assert len(left(state / "environments")) == 2
        await asyncio.to_thread(gc, "--all")
        assert len(left(state / "environments")) == 1
        assert (await client.model("mine/default").transform("x")).text == "one"
    assert [one["would_remove"] for one in await asyncio.to_thread(gc)] == [False], "it comes back with the broker"
    await asyncio.to_thread(gc, "--all")
    assert left(state / "environments") == []


async def inspected(client: Client) -> tuple[str, str]:
    environment = (await client.broker.get("mine")).environment
    assert environment.size_bytes > 1_000_000
    assert environment.build_duration.ToMilliseconds() > 0
    return environment.key, environment.rebuild_reason


async def log_of(client: Client) -> str:
    return "\n".join([line.text async for news in client.broker.tail_logs("mine", build=True) for line in news.lines])


async def test_why_it_was_rebuilt_and_what_the_build_said_can_be_asked(tmp_path: Path) -> None:
    folder = write_provider(tmp_path / "mine", GOOD)
    async with broker(tmp_path / "state") as (_, client):
        await load(client, str(folder))
        first, reason = await inspected(client)
        assert reason == ""
        assert "Installed" in await log_of(client)
        write_provider(folder, GOOD, dependencies='["six==1.16.0"]')
        async for _ in client.broker.refresh("mine"):
            pass
        second, reason = await inspected(client)
        assert second != first
        assert reason == "requirements changed: +six==1.16.0"
        assert "six==1.16.0" in await log_of(client)
        write_provider(folder, GOOD, dependencies='["six==99.99"]')
        with pytest.raises(PreconditionError) as caught:
            async for _ in client.broker.refresh("mine"):
                pass
        assert caught.value.reason is Reason.BUILD_FAILED
        assert "six==99.99" in await log_of(client)
        assert (await client.model("mine/default").transform("x")).text == "one"
