"""Builders of environments in folders of their own, and wheels made on the spot."""

from __future__ import annotations

import base64
import hashlib
import os
import zipfile
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest
from mediaconduit_broker.environments import EnvironmentBuilder, EnvironmentRequest, Permissions
from mediaconduit_broker.manifest import read_manifest

from tests.support.brokers import write_provider

Ask = Callable[..., EnvironmentRequest]


@pytest.fixture
async def builder(tmp_path: Path) -> AsyncIterator[EnvironmentBuilder]:
    """One that works in `tmp_path`/state/environments."""
    made = EnvironmentBuilder(tmp_path / "state" / "environments", os.environ, timeout=120)
    yield made
    await made.aclose()


def ask(folder: Path, provider_id: str = "mine", **permissions: object) -> EnvironmentRequest:
    """What a provider in a folder needs."""
    return EnvironmentRequest(
        provider_id=provider_id,
        source=f"file:{folder}",
        folder=folder,
        manifest=read_manifest(folder),
        permissions=Permissions(**permissions),  # type: ignore[arg-type]
    )


def write(folder: Path, dependencies: str = "[]", project: str = "", rest: str = "") -> Path:
    """A Python provider whose code is never looked at."""
    write_provider(folder, "")
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "mine"\nversion = "1"\ndependencies = {dependencies}\n{project}\n{rest}'
    )
    return folder


def wheel(folder: Path, name: str, files: Mapping[str, str]) -> Path:
    """A wheel with these files."""
    info = f"{name}-1.0.dist-info"
    whole = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{path},sha256={_digest(text)},{len(text)}" for path, text in whole.items()]
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in whole.items():
            archive.writestr(inside, text)
        archive.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,"]) + "\n")
    return path


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
