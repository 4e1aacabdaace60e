"""A repository full of traps, from a real git server and a real index: none goes off before the sidecar starts."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from mediaconduit.errors import MediaConduitError, PreconditionError, Reason
from mediaconduit_broker.config import SourcesConfig, TrustConfig
from mediaconduit_broker.environments import EnvironmentBuilder, EnvironmentRequest
from mediaconduit_broker.manifest import read_manifest
from mediaconduit_broker.sources import Sources
from mediaconduit_broker.trust import AllowedFile, Gate, TrustPolicy
from mediaconduit_broker.trust.patterns import parse_pattern

from tests.integration.trust.conftest import MANIFEST, Command
from tests.support.brokers import GOOD, broker, load
from tests.support.git_server import GitServer
from tests.support.package_index import Index, package_index

TRAPS = "github:acme/traps"


class Markers:
    """Where traps that went off leave their names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        folder.chmod(0o777)  # a sidecar may be another user

    def python(self, name: str) -> str:
        return f"import os; open({str(self.folder / name)!r}, 'a').close()\n"

    def shell(self, name: str) -> str:
        return f"#!/bin/sh\ntouch {self.folder / name}\nexit 1\n"

    def seen(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}


@pytest.fixture
def markers(tmp_path: Path) -> Markers:
    return Markers(tmp_path / "markers")


@pytest.fixture
def index(tmp_path: Path, markers: Markers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """An index with packages that run something as soon as anybody looks at them the wrong way."""
    with package_index(tmp_path / "index") as made:
        wheel = {
            "mediaconduit_trap/__init__.py": markers.python("dependency imported"),
            "mediaconduit_trap.pth": markers.python("pth"),
            "sitecustomize.py": markers.python("sitecustomize of a dependency"),
            "setup.py": markers.python("setup.py in a wheel"),
            "mediaconduit_trap-1.0.data/scripts/uv": markers.shell("uv of a dependency"),
            "mediaconduit_trap-1.0.data/scripts/post-install": markers.shell("post-install"),
            "mediaconduit_trap-1.0.dist-info/entry_points.txt": "[console_scripts]\npip = mediaconduit_trap:main\n",
        }
        made.wheel("mediaconduit_trap", "1.0", wheel)
        source = {
            "PKG-INFO": "Metadata-Version: 2.1\nName: mediaconduit_trapped\nVersion: 1.0\nDynamic: Requires-Dist\n",
            "setup.py": markers.python("setup.py of a dependency"),
            "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
            "backend.py": markers.python("backend of a dependency"),
        }
        made.sdist("mediaconduit_trapped", "1.0", source)
        monkeypatch.setenv("UV_INDEX", made.url)
        yield made


def commit_traps(server: GitServer, markers: Markers, requirement: str) -> None:
    """github:acme/traps."""
    pyproject = (
        '[build-system]\nrequires = ["mediaconduit-trap"]\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "mine"\ndynamic = ["version"]\nrequires-python = ">=3.11"\n'
        f'dependencies = ["{requirement}"]\n'
        '[project.scripts]\npython = "mine_provider:main"\n'
        '[tool.setuptools.dynamic]\nversion = {attr = "mine_provider.VERSION"}\n'
        "[tool.uv]\nno-build = false\n"
    )
    repository = server.repository("acme/traps")
    programs = (".venv/bin/python", ".venv/bin/python3", "uv", "python", "git-upload-pack")
    for program in programs:
        path = repository.folder / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(markers.shell(f"program {path.name}"))
        path.chmod(0o755)
    repository.commit(
        {
            "MediaConduit.provider.yml": MANIFEST,
            "mine_provider.py": markers.python("provider imported") + "import mediaconduit_trap\n" + GOOD,
            "pyproject.toml": pyproject,
            "backend.py": markers.python("build backend"),
            "setup.py": markers.python("setup.py"),
            "setup.cfg": "[metadata]\nname = mine\nversion = attr: mine_provider.VERSION\n",
            "sitecustomize.py": markers.python("sitecustomize"),
            "usercustomize.py": markers.python("usercustomize"),
            "conftest.py": markers.python("conftest"),
            "uv.toml": f'cache-dir = "{markers.folder}/uv obeyed the repository"\n',
            ".python-version": "3.11\n",
            ".gitattributes": "* filter=trap diff=trap merge=trap ident\n",
            ".lfsconfig": f"[lfs]\n\turl = {server.url}/lfs\n",
            ".gitmodules": f'[submodule "x"]\n\tpath = x\n\turl = ext::touch {markers.folder}/submodule\n',
            ".gitconfig": f'[filter "trap"]\n\tsmudge = touch {markers.folder}/filter',
        }
    )


async def test_a_repository_that_is_not_trusted_is_not_even_asked_for(
    tmp_path: Path, server: GitServer, sources: SourcesConfig, index: Index, markers: Markers
) -> None:
    commit_traps(server, markers, "mediaconduit-trap")
    async with broker(tmp_path / "state", sources=sources) as (_, client):
        for source in (TRAPS, "https://github.com/acme/traps.git@main", f"{TRAPS}//sub"):
            with pytest.raises(PreconditionError) as caught:
                await load(client, source)
            assert caught.value.reason is Reason.SOURCE_NOT_TRUSTED
    assert (server.requests, index.requests, markers.seen()) == ([], [], set())
    assert not list((tmp_path / "state").glob("sources/*"))
    assert not list((tmp_path / "state").glob("environments/*"))


async def test_a_trusted_one_is_fetched_locked_and_built_and_only_its_sidecar_runs_it(
    tmp_path: Path, server: GitServer, sources: SourcesConfig, index: Index, markers: Markers, command: Command
) -> None:
    commit_traps(server, markers, "mediaconduit-trap")
    config = tmp_path / "mediaconduit.toml"
    config.write_text(
        f'state_dir = "{tmp_path}/state"\n[trust]\nallow = ["{TRAPS}"]\n'
        f'[sources.rewrite]\n"https://github.com/" = "{server.url}/"\n'
    )
    done = command("lock", TRAPS)
    assert done.returncode == 0, done.stderr
    assert "mediaconduit-trap==1.0" in (tmp_path / "mediaconduit.lock").read_text()

    allowed = AllowedFile(tmp_path / "state")
    allowed.add(parse_pattern(TRAPS))
    gate = Gate(TrustPolicy((), allowed, own_folders=False), tmp_path / "mediaconduit.lock", base=tmp_path, frozen=True)
    state = tmp_path / "state"
    fetched = Sources(state / "sources", os.environ, base=tmp_path, rewrite=sources.rewrite)
    builder = EnvironmentBuilder(state / "environments", os.environ, timeout=120)
    async with contextlib.aclosing(fetched), contextlib.aclosing(builder):
        admission = gate.admit(TRAPS)
        checkout = await fetched.resolve(admission.source, pinned=admission.pinned)
        manifest = read_manifest(checkout.folder)
        assert gate.confirm(admission, checkout, manifest.id) is not None
        request = EnvironmentRequest(
            provider_id=manifest.id, source=checkout.origin, folder=checkout.folder, manifest=manifest
        )
        environment = await builder.ensure(request)
        try:
            assert environment.record is not None
            assert "mediaconduit_trap==1.0" in environment.record.packages
        finally:
            environment.release()
    assert markers.seen() == set()

    # They are traps: a sidecar, which may run its own code, sets them off.
    trust = TrustConfig(allow=[TRAPS], lock=str(tmp_path / "mediaconduit.lock"), frozen=True)
    async with broker(state, sources=sources, trust=trust) as (_, client):
        await load(client, TRAPS)
    assert {"provider imported", "dependency imported", "pth"} <= markers.seen()
    assert not {name for name in markers.seen() if "setup" in name or "backend" in name or "program" in name}


async def test_a_dependency_that_would_be_built_is_refused_without_its_setup_being_run(
    tmp_path: Path, server: GitServer, sources: SourcesConfig, index: Index, markers: Markers, command: Command
) -> None:
    commit_traps(server, markers, "mediaconduit-trapped")
    async with broker(tmp_path / "state", sources=sources, trust=TrustConfig(allow=[TRAPS])) as (_, client):
        with pytest.raises(MediaConduitError) as caught:
            await load(client, TRAPS)
        assert caught.value.reason is Reason.BUILD_FAILED
    (tmp_path / "mediaconduit.toml").write_text(
        f'state_dir = "{tmp_path}/state"\n[trust]\nallow = ["{TRAPS}"]\n'
        f'[sources.rewrite]\n"https://github.com/" = "{server.url}/"\n'
    )
    done = command("lock", TRAPS)
    assert done.returncode == 5, done.stderr
    assert not (tmp_path / "mediaconduit.lock").exists()
    assert "/simple/mediaconduit-trapped/" in index.requests
    assert markers.seen() == set()
