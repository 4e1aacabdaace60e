from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uv
from mediaconduit.client import Client
from mediaconduit.errors import PreconditionError, Reason
from mediaconduit_broker.config import ProviderConfig, SourcesConfig, TrustConfig
from mediaconduit_broker.state import StateFolder
from mediaconduit_broker.trust import lockfile
from mediaconduit_broker.trust.lockfile import lock_of, packages_hash

from tests.integration.trust.conftest import MANIFEST, Command
from tests.support.brokers import GOOD, broker, load, write_provider
from tests.support.git_server import GitServer, Repository
from tests.support.package_index import Index, package_index

COW = "github:acme/cow@v1"


def frozen(config: Path) -> TrustConfig:
    return TrustConfig(allow=["github:acme/*"], lock=str(config.with_name("mediaconduit.lock")), frozen=True)


def locked(config: Path) -> dict[str, Any]:
    return tomllib.loads(config.with_name("mediaconduit.lock").read_text())


def uv_lock(folder: Path) -> None:
    """What an author does."""
    subprocess.run([uv.find_uv_bin(), "lock", "-q"], cwd=folder, check=True)


async def said(client: Client, name: str) -> str:
    return str((await client.model(f"{name}/default").transform("hi")).text)


async def test_what_is_locked_runs_and_a_restart_asks_nobody(
    tmp_path: Path,
    environments: Path,
    config: Path,
    server: GitServer,
    sources: SourcesConfig,
    repository: Repository,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = command("lock", cwd=config.parent)
    assert done.returncode == 0, done.stderr
    (entry,) = locked(config)["provider"]
    assert (entry["id"], entry["source"], entry["ref"]) == ("cow", COW, "refs/tags/v1")
    assert entry["commit"] == repository.git("rev-parse", "HEAD")
    assert entry["tree"] == repository.git("rev-parse", "HEAD^{tree}")
    assert any(name.startswith("grpcio==") for name in entry["packages"])
    async with broker(tmp_path / "state", environments, sources=sources, trust=frozen(config)) as (_, client):
        await load(client, COW, provider_id="cow")
        assert await said(client, "cow") == "one"
    asked = list(server.requests)
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/")  # the packages' index is gone, too
    # The tag moves, and nobody looks.
    repository.commit({"mine_provider.py": GOOD.replace("one", "two")})
    repository.tag("v1")
    async with broker(tmp_path / "state", environments, sources=sources, trust=frozen(config)) as (_, client):
        await load(client, COW, provider_id="cow")
        assert await said(client, "cow") == "one"
    assert server.requests == asked


async def test_a_tag_that_was_moved_is_refused_by_whoever_must_fetch_it(
    tmp_path: Path,
    environments: Path,
    config: Path,
    sources: SourcesConfig,
    repository: Repository,
    command: Command,
) -> None:
    assert command("lock", cwd=config.parent).returncode == 0
    before = repository.git("rev-parse", "HEAD")[:12]
    after = repository.commit({"mine_provider.py": GOOD.replace("one", "two")})[:12]
    repository.tag("v1")
    moved = f"the tag v1 was moved: {before} → {after}"
    checked = command("lock", "--check", cwd=config.parent)
    assert checked.returncode == 1
    assert f"cow: {moved}" in checked.stdout
    async with broker(tmp_path / "new", environments, sources=sources, trust=frozen(config)) as (_, client):
        with pytest.raises(PreconditionError) as caught:
            await load(client, COW, provider_id="cow")
        assert caught.value.reason is Reason.SOURCE_NOT_TRUSTED
        assert moved in caught.value.message
        assert caught.value.metadata["how_to_allow"] == f"mediaconduit lock {COW}"
    # Also where nothing is frozen: a tag is not meant to move.
    loose = TrustConfig(allow=["github:acme/*"], lock=str(config.with_name("mediaconduit.lock")))
    async with broker(tmp_path / "loose", environments, sources=sources, trust=loose) as (_, client):
        with pytest.raises(PreconditionError, match="the tag v1 was moved"):
            await load(client, COW, provider_id="cow")
        await load(client, "github:acme/cow@main", provider_id="branch")
    again = command("lock", cwd=config.parent)
    assert moved in again.stdout
    assert command("lock", "--check", cwd=config.parent).returncode == 0
    async with broker(tmp_path / "new", environments, sources=sources, trust=frozen(config)) as (_, client):
        await load(client, COW, provider_id="cow")
        assert await said(client, "cow") == "two"


async def test_what_the_lock_does_not_hold_is_refused_when_frozen(
    tmp_path: Path,
    environments: Path,
    config: Path,
    server: GitServer,
    sources: SourcesConfig,
    repository: Repository,
    command: Command,
) -> None:
    async with broker(tmp_path / "state", environments, sources=sources, trust=frozen(config)) as (_, client):
        with pytest.raises(PreconditionError, match=r"no mediaconduit\.lock"):
            await load(client, COW)
    assert server.requests == []
    assert command("lock", cwd=config.parent).returncode == 0
    asked = list(server.requests)
    loose = TrustConfig(allow=["github:acme/*"], lock=str(config.with_name("mediaconduit.lock")))
    async with broker(tmp_path / "state", environments, sources=sources, trust=loose) as (_, client):
        for source in ("github:acme/cow", "github:acme/cow@main", "cowsay"):
            with pytest.raises(PreconditionError, match=r"nothing of .* in mediaconduit\.lock"):
                await load(client, source, frozen=True)
        assert server.requests == asked
        with pytest.raises(PreconditionError, match="under the name cow"):
            await load(client, COW, frozen=True)
        await load(client, COW, provider_id="cow", frozen=True)
        await load(client, COW, provider_id="cow", frozen=True)
    (known,) = StateFolder(tmp_path / "state").known_providers()
    assert known.frozen, "so that it comes back as what is locked"
    async with broker(tmp_path / "state", environments, sources=sources, trust=loose) as (_, client):
        await load(client, COW, provider_id="cow", frozen=True)
        # Loaded without the lock first, it is not taken for what is locked.
        await client.broker.unload("cow")
        await load(client, COW, provider_id="cow")
        with pytest.raises(PreconditionError, match="was not held to the lock"):
            await load(client, COW, provider_id="cow", frozen=True)


async def test_a_folder_whose_files_changed_is_refused(tmp_path: Path, environments: Path, command: Command) -> None:
    folder = write_provider(tmp_path / "broker" / "mine", GOOD)
    base = tmp_path / "broker"
    done = command("lock", "./mine", "--state-dir", tmp_path / "state", cwd=base)
    assert done.returncode == 0, done.stderr
    (entry,) = tomllib.loads((base / "mediaconduit.lock").read_text())["provider"]
    assert entry["source"] == "./mine"
    # Its source stands in the lock as seen from there.
    text = (base / "mediaconduit.lock").read_text().replace('"./mine"', f'"{folder}"')
    (base / "mediaconduit.lock").write_text(text)
    trust = TrustConfig(lock=str(base / "mediaconduit.lock"), frozen=True)
    async with broker(tmp_path / "state", environments, trust=trust) as (_, client):
        await load(client, str(folder))
        await client.broker.unload("mine")
        (folder / "mine_provider.py").write_text(GOOD.replace("one", "two"))
        with pytest.raises(PreconditionError, match=r"not what is locked: .*files: "):
            await load(client, str(folder))
        (folder / "mine_provider.py").write_text(GOOD)
        await load(client, str(folder))


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """A second index, with the package "mediaconduit-tiny" 1.0."""
    with package_index(tmp_path / "index") as made:
        made.wheel("mediaconduit_tiny", "1.0", {"mediaconduit_tiny.py": "WORD = 'tiny 1.0'\n"})
        monkeypatch.setenv("UV_INDEX", made.url)
        yield made


TINY = GOOD.replace("VERSION\n", "__import__('mediaconduit_tiny').WORD\n", 1)


async def test_an_environment_holds_the_locked_packages_and_their_very_files(
    tmp_path: Path,
    config: Path,
    sources: SourcesConfig,
    repository: Repository,
    command: Command,
    index: Index,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pyproject = '[project]\nname = "mine"\nversion = "1"\ndependencies = ["mediaconduit-tiny"]\n'
    repository.commit({"MediaConduit.provider.yml": MANIFEST, "mine_provider.py": TINY, "pyproject.toml": pyproject})
    repository.tag("v1")
    assert command("lock", cwd=config.parent).returncode == 0
    index.wheel("mediaconduit_tiny", "1.1", {"mediaconduit_tiny.py": "WORD = 'tiny 1.1'\n"})
    assert command("lock", "--check", cwd=config.parent).returncode == 0
    async with broker(tmp_path / "state", sources=sources, trust=frozen(config)) as (_, client):
        await load(client, COW, provider_id="cow")
        assert await said(client, "cow") == "tiny 1.0"
    upgraded = command("lock", "--upgrade", cwd=config.parent)
    assert "cow: package mediaconduit-tiny: 1.0 → 1.1" in upgraded.stdout
    async with broker(tmp_path / "state", sources=sources, trust=frozen(config)) as (_, client):
        await load(client, COW, provider_id="cow")
        assert await said(client, "cow") == "tiny 1.1"
    # Another file under the same version is not what was locked.
    index.wheel("mediaconduit_tiny", "1.1", {"mediaconduit_tiny.py": "WORD = 'evil'\n"})
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    async with broker(tmp_path / "other", sources=sources, trust=frozen(config)) as (_, client):
        with pytest.raises(PreconditionError, match="a package is not what the repository pinned"):
            await load(client, COW, provider_id="cow")


def test_an_edited_lock_is_refused_before_the_broker_serves_from_it(
    tmp_path: Path, config: Path, repository: Repository, command: Command
) -> None:
    assert command("lock", cwd=config.parent).returncode == 0
    path = config.with_name("mediaconduit.lock")
    text = path.read_text()
    path.write_text(text.replace("grpcio==", "grpcio-evil==", 1))
    done = command("lock", "--check", cwd=config.parent)
    assert done.returncode == 5
    assert "was edited" in done.stderr
    path.write_text(text)
    assert command("lock", "--check", cwd=config.parent).returncode == 0


def test_a_lock_is_made_of_sources_by_name_too_and_pruned(
    tmp_path: Path, config: Path, repository: Repository, command: Command
) -> None:
    folder = config.parent
    assert "nothing to lock" in command("lock", "--state-dir", tmp_path / "s", cwd=tmp_path).stderr
    assert command("lock", "cow", cwd=folder).returncode == 0
    assert [entry["id"] for entry in locked(config)["provider"]] == ["cow"]
    repository.commit({"x.txt": "x"})
    added = command("lock", "github:acme/cow@main", cwd=folder)
    assert added.stdout == "mine: is not in the lock\n"
    assert [entry["id"] for entry in locked(config)["provider"]] == ["cow", "mine"]
    assert command("lock", "--check", cwd=folder).returncode == 0
    pruned = command("lock", "--prune", cwd=folder)
    assert pruned.stdout == "mine: is in the lock alone\n"
    refused = command("lock", "github:other/cow", cwd=folder)
    assert refused.returncode == 5
    assert "mediaconduit trust add github:other/cow" in refused.stderr


async def test_a_lock_that_lacks_what_the_provider_host_needs_builds_nothing(
    tmp_path: Path, config: Path, sources: SourcesConfig, repository: Repository, command: Command
) -> None:
    """As after an update of the broker: nothing that is not locked is installed in silence."""
    assert command("lock", cwd=config.parent).returncode == 0
    path = config.with_name("mediaconduit.lock")
    lock = lockfile.read(path)
    assert lock is not None
    (entry,) = lock.provider
    fewer = {name: hashes for name, hashes in entry.packages.items() if not name.startswith("jsonschema-rs==")}
    assert len(fewer) == len(entry.packages) - 1
    entry = msgspec.structs.replace(entry, packages=fewer, environment=packages_hash(fewer))
    lockfile.write(path, lock_of([entry]))
    async with broker(tmp_path / "state", sources=sources, trust=frozen(config)) as (_, client):
        with pytest.raises(PreconditionError, match="the lock lacks jsonschema") as caught:
            await load(client, COW, provider_id="cow")
        assert caught.value.reason is Reason.BUILD_FAILED
        assert "mediaconduit lock" in caught.value.hint


async def test_a_repository_with_a_uv_lock_keeps_to_it(
    tmp_path: Path, config: Path, sources: SourcesConfig, repository: Repository, command: Command, index: Index
) -> None:
    pyproject = (
        '[project]\nname = "mine"\nversion = "1"\nrequires-python = ">=3.11"\n'
        'dependencies = ["mediaconduit-tiny", "six"]\n[tool.uv]\npackage = false\n'
    )
    (repository.folder / "pyproject.toml").write_text(pyproject)
    uv_lock(repository.folder)
    index.wheel("mediaconduit_tiny", "1.1", {"mediaconduit_tiny.py": "WORD = 'tiny 1.1'\n"})
    repository.commit({"mine_provider.py": TINY})
    repository.tag("v1")
    config.write_text(config.read_text() + f'allow_indexes = ["{index.url}"]\n')
    done = command("lock", cwd=config.parent)
    assert done.returncode == 0, done.stderr
    packages = locked(config)["provider"][0]["packages"]
    assert "mediaconduit-tiny==1.0" in {name.split(" ")[0] for name in packages}
    assert any(name.startswith("grpcio==") for name in packages)
    providers = {"cow": ProviderConfig(source=COW, allow_indexes=[index.url])}
    made = broker(tmp_path / "state", sources=sources, trust=frozen(config), providers=providers)
    async with made as (_, client):
        await load(client, COW, provider_id="cow")
        assert await said(client, "cow") == "tiny 1.0"
