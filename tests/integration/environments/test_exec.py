"""Providers in any language: built with leave, in a copy, once; then like any other."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mediaconduit.client import Client
from mediaconduit.errors import PreconditionError, Reason
from mediaconduit_broker.conformance import run_conformance
from mediaconduit_broker.environments import EnvironmentBuilder, Permissions
from mediaconduit_broker.state import StateFolder

from tests.support.brokers import PROVIDERS, broker, load

from .conftest import ask

GOCOUNT = PROVIDERS / "gocount"
# Building from nothing fetches libraries and compiles them.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="session")
def gocount() -> Path:
    """The provider in Go, with the contract generated for it."""
    if shutil.which("go") is None:
        pytest.skip("this machine has no `go` (Go, 1.26 or later: https://go.dev/dl)")
    # `buf` is installed next to this Python; google/rpc/*.proto is copied from its wheel.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    root = PROVIDERS.parents[1]
    for command, folder in (([str(root / "scripts/proto"), "--third-party"], root), (["go", "generate", "."], GOCOUNT)):
        made = subprocess.run(
            command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
        )
        assert made.returncode == 0, made.stderr
    return GOCOUNT


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


async def built(client: Client) -> float:
    return (await client.broker.get("gocount")).environment.build_time.ToNanoseconds()


async def test_a_provider_in_go_is_built_once_and_serves(gocount: Path, tmp_path: Path, environments: Path) -> None:
    async with broker(tmp_path / "state", environments) as (_, client):
        messages = await load(client, str(gocount), allow_build=True)
        assert "building: go build -o bin/gocount ." in messages
        answer = await client.model("gocount/default").transform("the cat and the hat", extra={"top": 1})
        assert json.loads(answer.text) == {
            "words": 5,
            "characters": 19,
            "lines": 1,
            "frequent": [{"word": "the", "count": 2}],
        }
        environment = (await client.broker.get("gocount")).environment
        assert environment.interpreter.startswith("go version go")
        assert not (gocount / "bin").exists(), "it is built in a copy"
        first = await built(client)
    async with broker(tmp_path / "state", environments) as (_, client):
        await load(client, str(gocount))  # what was allowed once comes back with the broker
        assert (await client.model("gocount/default").transform("x")).text
        assert await built(client) == first


async def test_it_keeps_to_the_contract(gocount: Path, tmp_path: Path, environments: Path) -> None:
    state = StateFolder(tmp_path / "state")
    state.root.mkdir()
    state.environments.symlink_to(environments)
    report = await run_conformance(
        str(gocount),
        settings={},
        base=PROVIDERS,
        state=state,
        environ=os.environ,
        permissions=Permissions(build=True),
    )
    assert [outcome for outcome in report.outcomes if not outcome.passed] == []
    assert len(report.outcomes) > 20


async def test_without_leave_nothing_is_built(tmp_path: Path) -> None:
    folder = write(tmp_path / "mine", f"build: [[touch, {tmp_path}/ran]]\ncommand: bin/mine\n")
    async with broker(tmp_path / "state") as (_, client):
        with pytest.raises(PreconditionError) as caught:
            await load(client, str(folder))
        assert caught.value.reason is Reason.SOURCE_NOT_TRUSTED
        assert "--allow-build" in caught.value.hint
        assert not (tmp_path / "ran").exists()


async def test_the_configuration_can_give_leave(tmp_path: Path) -> None:
    folder = write(tmp_path / "mine", f"build: [[touch, {tmp_path}/ran]]\ncommand: bin/mine\n")
    config = {"mine": {"source": str(folder), "allow_build": True}}
    async with broker(tmp_path / "state", providers=_providers(config)) as (_, client):
        with pytest.raises(PreconditionError) as caught:
            await load(client, str(folder))
        assert (caught.value.metadata["step"], (tmp_path / "ran").exists()) == ("check", True)
        assert "there is no program bin/mine after the build" in caught.value.message


def _providers(tables: dict[str, dict[str, object]]) -> dict[str, object]:
    import msgspec
    from mediaconduit_broker.config import ProviderConfig

    return {name: msgspec.convert(table, ProviderConfig) for name, table in tables.items()}


def write(folder: Path, commands: str, files: dict[str, str] | None = None) -> Path:
    """A provider of commands."""
    folder.mkdir(exist_ok=True)
    (folder / "MediaConduit.provider.yml").write_text(f"id: mine\nruntime: exec\n{commands}")
    for name, text in (files or {}).items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


BUILD = "#!/bin/sh\nenv | cut -d= -f1 | sort > variables\nmkdir bin && cp serve.sh bin/mine\n"


async def test_a_build_works_in_a_copy_with_few_variables(
    builder: EnvironmentBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "hunter2")
    builder = EnvironmentBuilder(tmp_path / "environments", os.environ, timeout=60)
    files = {"build.sh": BUILD, "serve.sh": "#!/bin/sh\n"}
    folder = write(tmp_path / "mine", "build: [./build.sh]\ncommand: [bin/mine, --data, '{folder}/data']\n", files)
    environment = await builder.ensure(ask(folder, build=True))
    try:
        made = environment.folder
        assert environment.command == (str(made / "bin/mine"), "--data", f"{made}/data")
        assert environment.working_folder == made
        assert sorted(path.name for path in folder.iterdir()) == ["MediaConduit.provider.yml", "build.sh", "serve.sh"]
        variables = set((made / "variables").read_text().split())
        assert {"PATH", "HOME"} <= variables
        assert "OPENAI_API_KEY" not in variables
        again = await builder.ensure(ask(folder, build=True))
        again.release()
        assert again.folder == made
    finally:
        environment.release()
    (folder / "serve.sh").write_text("#!/bin/sh\ntrue\n")
    changed = await builder.ensure(ask(folder, build=True))
    changed.release()
    assert changed.record is not None
    assert changed.record.rebuild_reason.startswith("files changed: ")


async def test_a_build_that_fails_shows_its_last_lines(builder: EnvironmentBuilder, tmp_path: Path) -> None:
    files = {"build.sh": "#!/bin/sh\necho undefined: everything >&2\nexit 3\n"}
    folder = write(tmp_path / "mine", "build: ['true', ./build.sh --fast]\ncommand: bin/mine\n", files)
    with pytest.raises(PreconditionError) as caught:
        await builder.ensure(ask(folder, build=True))
    assert caught.value.message == "`./build.sh --fast` failed"
    assert caught.value.metadata == {"step": "build", "last_lines": "undefined: everything"}
    assert "--build" in caught.value.hint
    _, log = builder.journal.last_log("mine") or (0, "")
    assert "undefined: everything" in log
    assert "exit code 3" in log
    assert list((tmp_path / "state" / "environments").iterdir()) == []


async def test_a_build_that_is_given_up_ends_with_all_it_started(builder: EnvironmentBuilder, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    files = {"build.sh": f"#!/bin/sh\n(echo begun > {pipe}; exec sleep 1000) &\nwait\n"}
    folder = write(tmp_path / "mine", "build: [./build.sh]\ncommand: bin/mine\n", files)
    asked = asyncio.ensure_future(builder.ensure(ask(folder, build=True)))
    assert await asyncio.to_thread(pipe.read_text) == "begun\n"
    await builder.aclose()
    with pytest.raises(asyncio.CancelledError):
        await asked
