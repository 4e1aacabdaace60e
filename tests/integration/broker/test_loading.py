"""Providers that load, and everything that can be wrong with one."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import pytest
from mediaconduit.client import Client
from mediaconduit.errors import (
    InvalidRequestError,
    MediaConduitError,
    NotFoundError,
    PreconditionError,
    Reason,
    UnavailableError,
)

from tests.support.brokers import GOOD, broker, load, write_provider


async def test_steps_of_a_load_end_in_ready(client: Client) -> None:
    messages = await load(client, "cowsay")
    assert messages[-1] == "ready"
    assert "starting" in messages
    (provider,) = await client.broker.list()
    assert (provider.name, provider.serving, provider.start_count) == ("providers/cowsay", True, 1)
    assert provider.memory_bytes > 1_000_000


async def test_loading_what_runs_asks_nobody(client: Client) -> None:
    await load(client, "cowsay")
    assert await load(client, "cowsay") == ["running"]
    (provider,) = await client.broker.list()
    assert provider.start_count == 1


async def test_one_source_under_two_names(client: Client) -> None:
    await load(client, "cowsay")
    await load(client, "cowsay", provider_id="second-cow")
    assert "hi" in (await client.model("second-cow/default").transform("hi")).text
    assert {p.name for p in await client.broker.list()} == {"providers/cowsay", "providers/second-cow"}


async def test_concurrent_loads_of_one_provider_start_one_sidecar(client: Client) -> None:
    await asyncio.gather(*(load(client, "cowsay") for _ in range(8)))
    (provider,) = await client.broker.list()
    assert provider.start_count == 1


async def test_an_unloaded_provider_is_gone(client: Client) -> None:
    await load(client, "cowsay")
    await client.broker.unload("cowsay")
    assert await client.broker.list() == []
    with pytest.raises(NotFoundError):
        await client.model("providers/cowsay/models/default").transform("x")


async def test_providers_and_their_settings_come_back_with_the_broker(tmp_path: Path, environments: Path) -> None:
    async with broker(tmp_path / "state", environments) as (_, client):
        await load(client, "./faulty", settings={"greeting": "hello"})
    async with broker(tmp_path / "state", environments) as (_, client):
        await load(client, "./faulty")
        assert (await client.model("faulty/greet").transform("x")).text.startswith("hello ")


async def test_two_providers_that_pin_one_package_differently_run_side_by_side(client: Client) -> None:
    await asyncio.gather(load(client, "./pin_old"), load(client, "./pin_new"))
    old, new = await asyncio.gather(
        *(client.model(f"{name}/default").transform("version?") for name in ("pin-old", "pin-new"))
    )
    assert (old.text.strip(), new.text.strip()) == ("1.16.0", "1.17.0")


async def test_an_edit_in_one_environment_appears_in_no_other(client: Client, environments: Path) -> None:
    await asyncio.gather(load(client, "./pin_old"), load(client, "cowsay"))
    files = list(environments.glob("*/lib/python*/site-packages/mediaconduit/errors.py"))
    assert len(files) > 1
    assert {path.stat().st_nlink for path in files} == {1}
    assert all(list(path.parent.glob("__pycache__/errors.*.pyc")) for path in files)


async def test_refresh_takes_the_new_code_and_loses_no_call(client: Client, tmp_path: Path) -> None:
    folder = write_provider(tmp_path / "mine", GOOD)
    await load(client, str(folder))
    model, answers, done = client.model("mine/default"), [], asyncio.Event()

    async def call() -> None:
        while not done.is_set():
            answers.append((await model.transform("x")).text)

    calling = asyncio.ensure_future(call())
    (folder / "mine_provider.py").write_text(GOOD.replace('"one"', '"two"'))
    async for _ in client.broker.refresh("mine"):
        pass
    assert (await model.transform("x")).text == "two"
    done.set()
    await calling
    assert set(answers) <= {"one", "two"}


async def refused(client: Client, source: str, **options: object) -> MediaConduitError:
    with pytest.raises(MediaConduitError) as caught:
        await load(client, source, **options)
    assert caught.value.hint or caught.value.fields, "an error says what to do next"
    assert "/tmp" not in caught.value.message
    return caught.value


async def test_a_source_that_is_not_there_names_the_nearest(client: Client) -> None:
    error = await refused(client, "cowsya")
    assert (error.reason, error.metadata["suggestions"]) == (Reason.SOURCE_NOT_FOUND, "cowsay")


async def test_a_manifest_with_mistakes_lists_all_with_lines(client: Client, tmp_path: Path) -> None:
    folder = write_provider(tmp_path / "mine", GOOD, manifest="runtime: cobol\nname: 3\n")
    error = await refused(client, str(folder))
    assert error.reason is Reason.MANIFEST_INVALID
    assert {field.field.rpartition(":")[2] for field in error.fields} == {"1", "2"}
    assert len(error.fields) == 3


async def test_an_import_that_fails_shows_its_last_lines(client: Client, tmp_path: Path) -> None:
    folder = write_provider(tmp_path / "mine", "import nothing_like_this\n")
    error = await refused(client, str(folder))
    assert (error.reason, error.metadata["step"]) == (Reason.BUILD_FAILED, "import")
    assert "nothing_like_this" in error.metadata["last_lines"]
    (provider,) = await client.broker.list()
    assert (provider.state_reason, provider.start_count) == ("the provider's code does not load", 1)


async def test_a_mended_provider_loads(client: Client, tmp_path: Path) -> None:
    folder = write_provider(tmp_path / "mine", "import nothing_like_this\n")
    await refused(client, str(folder))
    write_provider(folder, GOOD)
    await load(client, str(folder))
    assert (await client.model("mine/default").transform("x")).text == "one"


async def test_requirements_that_clash_with_the_hosts_name_both(client: Client, tmp_path: Path) -> None:
    folder = write_provider(tmp_path / "mine", GOOD, dependencies='["protobuf==5.29.0"]')
    error = await refused(client, str(folder))
    assert (error.reason, error.metadata["step"]) == (Reason.BUILD_FAILED, "install")
    assert "protobuf==5.29.0" in error.hint
    assert "mediaconduit" in error.hint


async def test_a_requirement_that_does_not_exist_is_named(client: Client, tmp_path: Path) -> None:
    folder = write_provider(tmp_path / "mine", GOOD, dependencies='["six==99.99"]')
    error = await refused(client, str(folder))
    assert "six==99.99" in error.hint + error.metadata["last_lines"]


async def test_a_provider_that_never_gets_ready_is_ended(client: Client, tmp_path: Path) -> None:
    code = (
        GOOD
        + "\n\nasync def setup(self):\n    import asyncio\n    await asyncio.Event().wait()\n\n\nMine.setup = setup\n"
    )
    manifest = "id: mine\nversion: 1.0.0\nruntime: python\nentry: mine_provider:Mine\nstart_timeout: 1.5\n"
    error = await refused(client, str(write_provider(tmp_path / "mine", code, manifest=manifest)))
    assert isinstance(error, UnavailableError)
    assert "1.5 s" in error.message
    (provider,) = await client.broker.list()
    assert provider.state_reason == error.message


async def test_a_name_that_is_taken_by_another_source_is_refused(client: Client, tmp_path: Path) -> None:
    await load(client, "cowsay")
    error = await refused(client, str(write_provider(tmp_path / "mine", GOOD)), provider_id="cowsay")
    assert isinstance(error, InvalidRequestError)


async def test_settings_the_provider_refuses_name_the_field_and_leave_the_old_in_force(client: Client) -> None:
    await load(client, "./faulty", settings={"greeting": "hello"})
    with pytest.raises(InvalidRequestError) as caught:
        await client.provider("faulty").configure({"greeting": 3, "unknown": 1})
    assert {field.field for field in caught.value.fields} >= {"settings.greeting"}
    assert (await client.model("faulty/greet").transform("x")).text.startswith("hello ")


async def test_one_failed_load_does_not_hold_up_another(client: Client, tmp_path: Path) -> None:
    folder = write_provider(tmp_path / "mine", "import nothing_like_this\n")
    failed, _ = await asyncio.gather(load(client, str(folder)), load(client, "cowsay"), return_exceptions=True)
    assert isinstance(failed, PreconditionError)
    assert "hi" in (await client.model("cowsay/default").transform("hi")).text


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
async def test_a_full_disk_fails_the_build_and_leaves_nothing(tmp_path: Path) -> None:
    small = tmp_path / "state"
    small.mkdir()
    await asyncio.to_thread(subprocess.run, ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", small], check=True)
    try:
        async with broker(small) as (_, client):
            error = await refused(client, "cowsay")
            assert (error.reason, error.metadata["step"]) == (Reason.BUILD_FAILED, "install")
            assert "disk is full" in error.message
            assert list((small / "environments").iterdir()) == []
            assert (await client.broker.list())[0].state_reason == error.message
    finally:
        await asyncio.to_thread(subprocess.run, ["umount", small], check=True)
