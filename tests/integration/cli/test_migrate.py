"""``mediaconduit migrate``: what it shows, what it writes, and that it changes nothing unasked."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from mediaconduit_broker.cli.app import run
from mediaconduit_broker.cli.invocation import Invocation
from mediaconduit_broker.manifest import Runtime, read_manifest

from tests.support.brokers import PROVIDERS
from tests.support.git_server import git_server

MANIFEST = "id: vendor\nname: Vendor\nversion: '1.0.0'\ncapabilities: [TEXT_TO_TEXT]\nlicense: MIT\n"
CODE = "export default class VendorProvider { constructor() { this.key = process.env.VENDOR_TOKEN } }\n"
FILES = {"MediaConduit.provider.yml": MANIFEST, "src/index.ts": CODE, "package.json": '{"name": "vendor-provider"}'}
ORIGINALS = sorted(path.parent for path in (PROVIDERS / "originals").glob("*/*.yml"))


@pytest.fixture
def original(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, which is the current folder's "vendor-provider"."""
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        path = tmp_path / "vendor-provider" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "vendor-provider"


def migrate(*arguments: str, **variables: str) -> int:
    return run(["migrate", *arguments], Invocation(environ={**os.environ, **variables}))


def tree(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_the_new_manifest_is_put_beside_the_old_one(original: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert migrate("./vendor-provider") == 0
    assert {name: text for name, text in tree(original).items() if name in FILES} == FILES
    assert "runtime: node" in (original / "MediaConduit.provider.new.yml").read_text()
    shown = capsys.readouterr()
    lines = [line.strip() for line in shown.out.splitlines()]
    assert lines[0].split() == ["vendor", "Vendor"]
    assert lines.index("runs as it is") < lines.index("needs")
    assert "○ key    VENDOR_TOKEN" in shown.out
    assert "mediaconduit migrate ./vendor-provider --replace" in shown.err


def test_a_check_writes_nothing(original: Path) -> None:
    before = tree(original)
    assert migrate("./vendor-provider", "--check") == 0
    assert tree(original) == before


def test_replaced_the_old_one_is_kept_and_the_new_one_counts(
    original: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert migrate("./vendor-provider") == 0
    assert migrate("./vendor-provider", "--replace") == 0
    assert (original / "MediaConduit.provider.original.yml").read_text() == MANIFEST
    assert not (original / "MediaConduit.provider.new.yml").exists()
    manifest = read_manifest(original)
    assert (manifest.runtime, manifest.secrets) == (Runtime.NODE, ("VENDOR_TOKEN",))
    capsys.readouterr()
    assert migrate("./vendor-provider") == 3
    assert "of today already" in capsys.readouterr().err


def test_a_folder_may_be_copied_first(original: Path) -> None:
    before = tree(original)
    assert migrate("./vendor-provider", "--in", "taken-over") == 0
    assert tree(original) == before
    assert read_manifest(original.parent / "taken-over").runtime is Runtime.NODE


def test_what_would_break_ends_with_1_and_is_told_to_machines(
    original: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (original / "src/index.ts").write_text("import left from 'left-pad';\n" + CODE)
    assert migrate("./vendor-provider", "--check", "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["provider"], report["runs"], report["written"]) == ("vendor", False, [])
    assert [finding["detail"] for finding in report["findings"] if finding["kind"] == "breaks"] == [
        "imports left-pad, which package.json does not list"
    ]


def test_what_is_fetched_is_copied_and_the_copy_migrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "gitconfig"
    git = {"GIT_CONFIG_GLOBAL": str(config), "GIT_CONFIG_SYSTEM": "/dev/null"}
    state = ("--state-dir", str(tmp_path / "state"))
    with git_server(tmp_path / "server") as server:
        server.repository("o/vendor-provider").commit(FILES)
        config.write_text(f'[url "{server.url}/"]\n\tinsteadOf = https://github.com/\n')
        url = "https://github.com/o/vendor-provider"
        assert migrate(url, *state, **git) == 5
        assert "is not trusted" in capsys.readouterr().err
        assert run(["trust", "add", "github:o/vendor-provider", *state], Invocation(environ=os.environ)) == 0
        assert migrate(url, *state, **git) == 0
        manifest = read_manifest(tmp_path / "vendor")
        assert (manifest.id, manifest.runtime) == ("vendor", Runtime.NODE)
        assert (tmp_path / "vendor/MediaConduit.provider.original.yml").read_text() == MANIFEST
        (tmp_path / "vendor/src/index.ts").write_text(CODE)  # what was fetched is kept read-only, its copy is not
        capsys.readouterr()
        assert migrate(url, *state, **git) == 3
        assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize("folder", ORIGINALS, ids=lambda folder: folder.name)
def test_repositories_in_the_style_of_the_six_run_as_they_are(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert migrate(str(folder), "--check") == 0, capsys.readouterr().out
