import json
import shlex
from pathlib import Path

import pytest
from mediaconduit.errors import PreconditionError, Reason
from mediaconduit_broker.config import SourcesConfig, TrustConfig

from tests.integration.trust.conftest import Command
from tests.support.brokers import GOOD, broker, load, write_provider
from tests.support.git_server import GitServer, Repository


async def test_a_refused_source_is_allowed_by_the_command_the_refusal_gives_while_the_broker_runs(
    tmp_path: Path,
    environments: Path,
    server: GitServer,
    sources: SourcesConfig,
    repository: Repository,
    command: Command,
) -> None:
    state = tmp_path / "state"
    async with broker(state, environments, sources=sources) as (_, client):
        with pytest.raises(PreconditionError) as caught:
            await load(client, "github:acme/cow@v1")
        assert caught.value.reason is Reason.SOURCE_NOT_TRUSTED
        assert server.requests == []
        arguments = shlex.split(caught.value.metadata["how_to_allow"].replace("FOLDER", str(state)))
        assert arguments[:4] == ["mediaconduit", "trust", "add", "github:acme/cow"]
        done = command(*arguments[1:])
        assert done.returncode == 0, done.stderr
        await load(client, "github:acme/cow@v1")
        assert (await client.model("mine/default").transform("hi")).text == "one"


async def test_what_is_no_longer_allowed_stays_away_after_a_restart(
    tmp_path: Path, environments: Path, sources: SourcesConfig, repository: Repository, command: Command
) -> None:
    state = tmp_path / "state"
    assert command("trust", "add", "github:acme/*", "--state-dir", state).returncode == 0
    async with broker(state, environments, sources=sources) as (_, client):
        await load(client, "github:acme/cow")
    assert command("trust", "rm", "github:acme/*", "--state-dir", state).returncode == 0
    async with broker(state, environments, sources=sources) as (_, client):
        assert (await client.broker.list()) == []
        with pytest.raises(PreconditionError, match="not trusted"):
            await load(client, "github:acme/cow")


async def test_a_broker_for_everybody_takes_folders_only_when_they_are_allowed(
    tmp_path: Path, environments: Path
) -> None:
    folder = write_provider(tmp_path / "mine", GOOD)
    async with broker(tmp_path / "state", environments, listen="0.0.0.0:0") as (_, client):
        with pytest.raises(PreconditionError) as caught:
            await load(client, str(folder))
        assert f"file:{folder}" in caught.value.metadata["how_to_allow"]
    allow = TrustConfig(allow=[f"file:{tmp_path}/*"])
    async with broker(tmp_path / "state", environments, listen="0.0.0.0:0", trust=allow) as (_, client):
        await load(client, str(folder))


def test_patterns_are_listed_with_where_they_stand_and_removed(tmp_path: Path, config: Path, command: Command) -> None:
    folder = config.parent
    assert "allowed pypi:a-b" in command("trust", "add", "pypi:a-b", cwd=folder).stderr
    assert "already" in command("trust", "add", "pypi:a-b", cwd=folder).stderr
    assert command("trust", "add", ".", cwd=folder).returncode == 0
    listed = json.loads(command("trust", "ls", "--json", cwd=folder).stdout)
    assert listed == [
        {"pattern": "catalog", "from": "built in"},
        {"pattern": "github:acme/*", "from": "config"},
        {"pattern": f"file:{folder}", "from": "command line"},
        {"pattern": "pypi:a-b", "from": "command line"},
    ]
    assert "github:acme/*" in command("trust", "ls", cwd=folder).stdout
    assert command("trust", "rm", "pypi:a-b", cwd=folder).returncode == 0
    again = command("trust", "rm", "pypi:a-b", cwd=folder)
    assert again.returncode == 4
    assert "take it out there" in command("trust", "rm", "github:acme/*", cwd=folder).stderr
    assert "always allowed" in command("trust", "rm", "catalog", cwd=folder).stderr


def test_what_is_no_pattern_is_refused_with_the_forms_there_are(tmp_path: Path, command: Command) -> None:
    done = command("trust", "add", "acme/*", "--state-dir", tmp_path / "state")
    assert done.returncode == 5
    assert "github:owner/*" in done.stderr
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("arguments", [("exec", "github:acme/cow", "pytest"), ("test", "github:acme/cow")])
def test_commands_that_run_a_provider_themselves_ask_too(
    tmp_path: Path, server: GitServer, command: Command, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "gitconfig").write_text(f'[url "{server.url}/"]\n\tinsteadOf = https://github.com/\n')
    variables = {"GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig")}
    name, *rest = arguments
    done = command(name, "--state-dir", tmp_path / "state", *rest, **variables)
    assert "mediaconduit trust add github:acme/cow" in done.stderr
    assert done.returncode == 5
    assert server.requests == []
