"""Host libraries for built languages: who gets them, what of, and that they are no part of the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from mediaconduit_broker.environments import hosts
from mediaconduit_broker.environments.executable import ExecutablePlan, plan_executable
from mediaconduit_broker.environments.request import EnvironmentRequest
from mediaconduit_broker.environments.tools import Tools, build_environ
from mediaconduit_broker.environments.tree import tree_hash
from mediaconduit_broker.manifest.read import parse_manifest

REPLACED = "module x\nreplace github.com/a/b => ./.mediaconduit/provider_hosts/go\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    made = tmp_path / "repository"
    made.mkdir()
    (made / "go.mod").write_text(REPLACED)
    return made


async def plan(folder: Path, manifest: str) -> ExecutablePlan:
    request = EnvironmentRequest(
        provider_id="mine",
        source="github:o/mine",
        folder=folder,
        manifest=parse_manifest(f"id: mine\nruntime: exec\n{manifest}"),
    )
    return await plan_executable(request, Tools(build_environ(os.environ)))


def test_only_who_points_to_a_library_gets_it(repository: Path) -> None:
    assert [library.language for library in hosts.wanted(repository)] == ["go"]
    (repository / "go.mod").write_text("module x\n")
    (repository / "Cargo.toml").write_text('[dependencies]\nhost = { path = ".mediaconduit/provider_hosts/rust" }\n')
    assert [library.language for library in hosts.wanted(repository)] == ["rust"]
    (repository / "Cargo.toml").write_text("[package]\n")
    assert hosts.wanted(repository) == ()


def test_a_build_gets_a_copy_and_a_developer_links(repository: Path) -> None:
    libraries = hosts.wanted(repository)
    hosts.put(libraries, repository)
    for folder in ("protos/go", "provider_hosts/go"):
        copied = repository / ".mediaconduit" / folder
        assert (copied / "go.mod").is_file()
        assert not copied.is_symlink()
    hosts.link(libraries, repository)
    hosts.link(libraries, repository)  # again, over what is there
    assert (repository / ".mediaconduit/provider_hosts/go").is_symlink()
    assert (repository / ".mediaconduit/provider_hosts/go/go.mod").is_file()


def test_what_is_put_there_is_no_part_of_the_repository(repository: Path) -> None:
    before = tree_hash(repository)
    hosts.link(hosts.wanted(repository), repository)
    assert tree_hash(repository) == before


async def test_another_library_is_another_environment(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "run").write_text("#!/bin/sh\n")
    first = await plan(repository, "command: ./run\n")
    assert first.parts["provider host"][0].startswith("go ")
    monkeypatch.setattr(hosts, "fingerprint", lambda libraries: ("go other",) if libraries else ())
    second = await plan(repository, "command: ./run\n")
    assert second.key != first.key
    (repository / "go.mod").write_text("module x\n")
    assert "provider host" not in (await plan(repository, "command: ./run\n")).parts


async def test_what_came_with_the_broker_may_be_built_without_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "providers" / "mine"
    folder.mkdir(parents=True)
    monkeypatch.setattr(hosts, "bundled_providers", lambda: (tmp_path / "providers",))
    assert (await plan(folder, "build: [env true]\ncommand: bin/mine\n")).build == (("env", "true"),)
