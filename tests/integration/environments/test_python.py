"""Python environments hold what a repository pins, and nothing of it runs while they are made."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
import uv
from mediaconduit.errors import PreconditionError, Reason
from mediaconduit_broker.environments import Environment, EnvironmentBuilder, EnvironmentRequest
from mediaconduit_broker.environments.python import WHEELS, first_changed

from .conftest import ask, wheel, write

OURS = f"""
[tool.uv]
override-dependencies = ["mediaconduit"]
[tool.uv.sources]
mediaconduit-provider = {{ path = "{next(WHEELS.glob("mediaconduit_provider-*"))}" }}
mediaconduit = {{ path = "{next(WHEELS.glob("mediaconduit-*"))}" }}
"""


def lock(folder: Path, *arguments: str) -> None:
    subprocess.run([uv.find_uv_bin(), "lock", "--quiet", *arguments], cwd=folder, check=True)


async def packages(builder: EnvironmentBuilder, request: EnvironmentRequest) -> dict[str, str]:
    environment = await builder.ensure(request)
    environment.release()
    assert environment.record is not None
    return dict(package.split("==") for package in environment.record.packages)


async def failed(builder: EnvironmentBuilder, request: EnvironmentRequest) -> PreconditionError:
    with pytest.raises(PreconditionError) as caught:
        (await builder.ensure(request)).release()
    assert caught.value.hint
    return caught.value


def python(environment: Environment, code: str) -> str:
    command = [environment.command[0], "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


async def test_what_uv_lock_pins_is_installed_and_nothing_newer(builder: EnvironmentBuilder, tmp_path: Path) -> None:
    folder = write(tmp_path / "mine", '["six>=1", "mediaconduit-provider"]', 'requires-python = ">=3.11"', OURS)
    lock(folder, "-P", "six==1.16.0", "-P", "typing-extensions==4.15.0")
    found = await packages(builder, ask(folder))
    assert found["six"] == "1.16.0"
    assert found["typing_extensions"] == "4.15.0", "also what only the provider host needs"
    assert {"mediaconduit", "mediaconduit_provider", "grpcio"} <= set(found)


async def test_a_lock_need_not_know_the_provider_host(builder: EnvironmentBuilder, tmp_path: Path) -> None:
    folder = write(tmp_path / "mine", '["six>=1"]', 'requires-python = ">=3.11"')
    lock(folder, "-P", "six==1.16.0")
    found = await packages(builder, ask(folder))
    assert found["six"] == "1.16.0"
    assert "mediaconduit_provider" in found


async def test_a_package_that_is_not_what_the_lock_pinned_is_refused(
    builder: EnvironmentBuilder, tmp_path: Path
) -> None:
    folder = write(tmp_path / "mine", '["six>=1"]', 'requires-python = ">=3.11"')
    lock(folder)
    text = (folder / "uv.lock").read_text()
    hashes = [part.split('"')[0] for part in text.split("sha256:")[1:]]
    for digest in hashes:
        text = text.replace(digest, "0" * 64)
    (folder / "uv.lock").write_text(text)
    error = await failed(builder, ask(folder))
    assert (error.reason, error.metadata["step"]) == (Reason.BUILD_FAILED, "install")
    assert "is not what the repository pinned" in error.message


async def test_pins_that_the_provider_host_cannot_live_with_are_named(
    builder: EnvironmentBuilder, tmp_path: Path
) -> None:
    folder = write(tmp_path / "mine", '["protobuf==5.29.0"]', 'requires-python = ">=3.11"')
    lock(folder)
    error = await failed(builder, ask(folder))
    assert "do not fit together" in error.message
    assert "protobuf==5.29.0" in error.hint


async def test_an_older_lock_is_refused(builder: EnvironmentBuilder, tmp_path: Path) -> None:
    folder = write(tmp_path / "mine", '["six>=1"]', 'requires-python = ">=3.11"')
    lock(folder)
    write(folder, '["six>=1", "idna"]', 'requires-python = ">=3.11"')
    assert "does not fit pyproject.toml" in (await failed(builder, ask(folder))).message


async def test_requires_python_picks_another_interpreter_of_this_machine(tmp_path: Path) -> None:
    found = sorted(Path.home().glob(".pyenv/versions/3.1[2-4].*/bin")) + [
        path.parent for minor in (12, 13, 14) for path in [Path(f"/usr/bin/python3.{minor}")] if path.exists()
    ]
    if not found:
        pytest.skip("there is one Python here")
    minor = next(found[0].glob("python3.1[2-4]")).name.removeprefix("python3.")
    environ = {**os.environ, "PATH": f"{found[0]}:{os.environ['PATH']}"}
    builder = EnvironmentBuilder(tmp_path / "environments", environ, timeout=120)
    folder = write(tmp_path / "mine", "[]", f'requires-python = ">=3.{minor},<3.{int(minor) + 1}"')
    environment = await builder.ensure(ask(folder))
    try:
        assert environment.record is not None
        assert environment.record.interpreter.startswith(f"CPython 3.{minor}.")
        says = python(environment, "import sys, mediaconduit_provider; print(sys.version_info[1])")
        assert says == minor
    finally:
        environment.release()


async def test_nothing_of_the_repository_runs(builder: EnvironmentBuilder, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    code = f"open({str(marker)!r}, 'w').close()\n"
    backend = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    folder = write(tmp_path / "mine", '["six"]', 'requires-python = ">=3.11"', backend)
    text = (folder / "pyproject.toml").read_text().replace('version = "1"', 'dynamic = ["version"]')
    for name in ("backend.py", "setup.py", "mine_provider.py", "sitecustomize.py", "conftest.py"):
        (folder / name).write_text(code)
    lock(folder)
    (folder / "uv.toml").write_text('index-url = "https://evil.example/simple"\n')
    marker.unlink(missing_ok=True)
    (folder / "pyproject.toml").write_text(text)
    assert "six" in await packages(builder, ask(folder))
    (folder / "uv.lock").unlink()
    assert "six" in await packages(builder, ask(folder))
    assert not marker.exists()


async def test_nothing_of_a_wheel_runs_before_the_sidecar_does(builder: EnvironmentBuilder, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    code = f"import os; open({str(marker)!r}, 'w').close()\n"
    files = {"evil.pth": code, "sitecustomize.py": code, "usercustomize.py": code, "evil.py": code}
    url = wheel(tmp_path, "evil", files).as_uri()
    folder = write(tmp_path / "mine", f'["evil @ {url}"]')
    environment = await builder.ensure(ask(folder, indexes=(tmp_path.as_uri(),)))
    try:
        assert not marker.exists()
        python(environment, "")
        assert marker.exists(), "the trap works"
    finally:
        environment.release()


async def test_what_has_no_wheel_is_refused_and_not_built(builder: EnvironmentBuilder, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    path = tmp_path / "evil-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in {
            "setup.py": f"open({str(marker)!r}, 'w').close()\n",
            "PKG-INFO": "Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n",
        }.items():
            member = tarfile.TarInfo(f"evil-1.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    folder = write(tmp_path / "mine", f'["evil @ {path.as_uri()}"]')
    error = await failed(builder, ask(folder, indexes=(tmp_path.as_uri(),)))
    assert error.message == "a dependency has no wheel for this machine"
    assert not marker.exists()


def test_a_dependency_that_replaces_files_of_the_provider_host_is_found(tmp_path: Path) -> None:
    host = next(WHEELS.glob("mediaconduit_provider-*"))
    with zipfile.ZipFile(host) as archive:
        archive.extractall(tmp_path)
    assert first_changed(host, tmp_path) is None
    (tmp_path / "mediaconduit_provider" / "host.py").write_text("evil")
    assert first_changed(host, tmp_path) == "mediaconduit_provider/host.py"
    (tmp_path / "mediaconduit_provider" / "host.py").unlink()
    assert first_changed(host, tmp_path) == "mediaconduit_provider/host.py"
