"""uv.lock is read for what it pins and from where, and refused when it is older than pyproject.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from mediaconduit.errors import PreconditionError, Reason
from mediaconduit_broker.environments.lock import read_lock
from mediaconduit_broker.environments.request import Permissions
from mediaconduit_broker.environments.requirements import Repository, Requirements

PYPROJECT = '[project]\nname = "mine"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["six>=1", "idna"]\n'
LOCK = """
version = 1
requires-python = ">=3.11"

[[package]]
name = "mine"
version = "1"
source = { virtual = "." }
dependencies = [{ name = "idna" }, { name = "six" }]

[package.metadata]
requires-dist = [{ name = "idna" }, { name = "six", specifier = ">=1" }]

[[package]]
name = "idna"
version = "3.10"
source = { registry = "https://pypi.org/simple" }
wheels = [{ url = "https://files.pythonhosted.org/idna.whl", hash = "sha256:aa" }]

[[package]]
name = "six"
version = "1.17.0"
source = { SOURCE }
wheels = [{ url = "https://files.pythonhosted.org/six.whl", hash = "sha256:bb" }]

[[package]]
name = "mediaconduit-provider"
version = "0.1.0"
source = { path = "../wheels/mediaconduit_provider.whl" }
"""
PYPI = 'registry = "https://pypi.org/simple"'


def read(
    folder: Path, source: str = PYPI, *, pyproject: str = PYPROJECT, lock: str = LOCK, indexes: tuple[str, ...] = ()
) -> Requirements | None:
    (folder / "uv.lock").write_text(lock.replace("SOURCE", source))
    return read_lock(Repository(folder, Permissions(indexes=indexes)), tomllib.loads(pyproject))


def test_it_pins_packages_but_for_the_project_and_ours(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert found is not None
    assert [line.split(" ")[0] for line in found.lines] == ["idna==3.10", "six==1.17.0"]
    assert (found.python, found.lock, found.indexes) == (">=3.11", tmp_path / "uv.lock", ())


def test_other_hashes_make_another_lock(tmp_path: Path) -> None:
    one, other = read(tmp_path), read(tmp_path, lock=LOCK.replace("sha256:bb", "sha256:cc"))
    assert one is not None
    assert other is not None
    assert one.lines != other.lines


def test_without_one_there_is_nothing_to_read(tmp_path: Path) -> None:
    assert read_lock(Repository(tmp_path, Permissions()), {}) is None


@pytest.mark.parametrize(
    "changed",
    [
        PYPROJECT.replace("six>=1", "six>=2"),
        PYPROJECT.replace(', "idna"', ""),
        PYPROJECT.replace('"idna"', '"idna", "iniconfig"'),
    ],
)
def test_one_that_is_older_than_pyproject_is_refused(tmp_path: Path, changed: str) -> None:
    with pytest.raises(PreconditionError, match=r"does not fit pyproject\.toml") as caught:
        read(tmp_path, pyproject=changed)
    assert "`uv lock`" in caught.value.hint


def test_the_order_and_spelling_of_dependencies_do_not_matter(tmp_path: Path) -> None:
    assert read(tmp_path, pyproject=PYPROJECT.replace('"six>=1", "idna"', '"IDNA", "six >= 1"'))


def test_a_lock_of_a_project_without_dependencies_fits_none_with_some(tmp_path: Path) -> None:
    bare = '[[package]]\nname = "mine"\nversion = "1"\nsource = { virtual = "." }\n'
    assert read(tmp_path, lock=bare, pyproject='[project]\nname = "mine"\n')
    with pytest.raises(PreconditionError):
        read(tmp_path, lock=bare)


@pytest.mark.parametrize("kind", ["registry", "url"])
def test_packages_from_elsewhere_are_refused_unless_that_is_allowed(tmp_path: Path, kind: str) -> None:
    source = f'{kind} = "https://pypi.acme.example/simple/six.whl"'
    with pytest.raises(PreconditionError) as caught:
        read(tmp_path, source)
    assert caught.value.reason is Reason.SOURCE_NOT_TRUSTED
    assert "package six" in caught.value.message
    assert read(tmp_path, source, indexes=("https://pypi.acme.example/simple",))


@pytest.mark.parametrize("kind", ["git", "path", "directory", "editable"])
def test_packages_that_would_be_built_are_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(PreconditionError, match="six would be built from source"):
        read(tmp_path, f'{kind} = "../six"')
