"""Builds run without secrets."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import uv
from mediaconduit.errors import PreconditionError, Reason
from mediaconduit_broker.config import ProviderConfig

from tests.support.brokers import load, write_provider

from .conftest import Start

MARKERS = {
    "OPENAI_API_KEY": "marker",
    "KEYS_TOKEN": "marker",
    "UV_PUBLISH_TOKEN": "marker",
    "UV_INDEX_PRIVATE_PASSWORD": "marker",
    "MEDIACONDUIT_API_KEY": "marker",
    "GIT_ASKPASS": "marker",
    "AWS_SECRET_ACCESS_KEY": "marker",
}
PLACES = {
    "UV_OFFLINE": "1",
    "UV_DEFAULT_INDEX": "https://user:hunter2@pypi.example/simple",
    "HTTPS_PROXY": "http://u:hunter2@proxy:1",
}
DUMP = "import json, os, sys; json.dump(dict(os.environ), open(sys.argv[1], 'w'))"


def program(path: Path, code: str) -> Path:
    path.write_text(f"#!{sys.executable}\n{code}\n")
    path.chmod(0o700)
    return path


async def test_uv_gets_where_things_are_and_no_other_variable(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = tmp_path / "dump"
    says = "print('no index at', os.environ['UV_DEFAULT_INDEX']); sys.exit(2)"
    fake = program(tmp_path / "uv", f"import sys; sys.argv[1:] = [{str(dump)!r}]; {DUMP}; {says}")
    monkeypatch.setattr(uv, "find_uv_bin", lambda: str(fake))
    async with start({**MARKERS, **PLACES}) as (_, client):
        with pytest.raises(PreconditionError) as raised:
            await load(client, str(write_provider(tmp_path / "mine", "")))
    assert raised.value.reason is Reason.BUILD_FAILED
    assert raised.value.metadata["last_lines"] == "no index at https://***@pypi.example/simple"
    found = json.loads(dump.read_text())
    assert not set(found) & set(MARKERS)
    assert found | PLACES == found
    assert set(found) <= {
        *PLACES,
        "PATH",
        "HOME",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "UV_PYTHON_DOWNLOADS",
        "LC_CTYPE",
        "PWD",
    }
    for path in (tmp_path / "state" / "builds").rglob("*"):
        assert not path.is_file() or "hunter2" not in path.read_text()


async def test_commands_of_a_repository_get_no_credentials_of_addresses_either(start: Start, tmp_path: Path) -> None:
    folder, dump = tmp_path / "other", tmp_path / "dump"
    folder.mkdir()
    program(folder / "build.py", f"import sys; sys.argv[1:] = [{str(dump)!r}]; {DUMP}; sys.exit(3)")
    (folder / "MediaConduit.provider.yml").write_text(
        "id: other\nruntime: exec\nbuild: [[./build.py]]\ncommand: ./run\n"
    )
    async with start(
        {**MARKERS, **PLACES}, providers={"other": ProviderConfig(source=str(folder), allow_build=True)}
    ) as (served, _):
        with pytest.raises(PreconditionError):
            await served.registry.load(str(folder), "other")
    found = json.loads(dump.read_text())
    assert set(found) <= {"PATH", "HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "LC_CTYPE", "PWD"}
