"""Providers that are packages, from a real index."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from mediaconduit.errors import NotFoundError, PreconditionError, Reason, UnavailableError
from mediaconduit_broker.config import TrustConfig
from mediaconduit_broker.sources import Sources
from structlog.testing import capture_logs

from tests.integration.sources.conftest import MANIFEST
from tests.support.brokers import GOOD, broker, load
from tests.support.package_index import PASSWORD, USER, Index, package_index

FILES = {"mine_provider/__init__.py": "class Mine: ...\n", "mine_provider/MediaConduit.provider.yml": MANIFEST}


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with package_index(tmp_path / "packages") as made:
        yield made


@pytest.fixture
async def from_index(tmp_path: Path, environ: dict[str, str]) -> AsyncIterator[Any]:
    """Makes sources that know one index."""
    async with AsyncExitStack() as stack:

        def made(url: str, **variables: str) -> Sources:
            uv = {"UV_DEFAULT_INDEX": url, "UV_CACHE_DIR": str(tmp_path / "cache")}
            made = Sources(tmp_path / "state", environ | uv | variables, base=tmp_path)
            stack.push_async_callback(made.aclose)
            return made

        yield made


async def test_a_wheel_becomes_a_providers_folder(from_index: Any, index: Index) -> None:
    index.wheel("my_own", "1.0", FILES, ["six>=1.16", "extra-thing; extra == 'more'", "odd; python_version < '3'"])
    checkout = await from_index(index.url).resolve("pypi:My.Own==1.0")
    assert (checkout.resolved, checkout.origin) == ("pypi:my-own==1.0", "pypi:my-own")
    assert (checkout.folder / "MediaConduit.provider.yml").read_text() == MANIFEST
    assert (checkout.folder / "mine_provider" / "__init__.py").is_file()
    needed = (checkout.folder / "requirements.txt").read_text().splitlines()
    assert needed == ["six>=1.16", "odd; python_version < '3'"]


async def test_two_versions_share_no_folder_and_the_newest_is_taken_where_none_is_named(
    from_index: Any, index: Index
) -> None:
    for version in ("1.0", "1.10", "1.9"):
        index.wheel("mine", version, FILES)
    sources = from_index(index.url)
    newest, old = await sources.resolve("pypi:mine"), await sources.resolve("pypi:mine==1.9")
    assert (newest.resolved, old.resolved) == ("pypi:mine==1.10", "pypi:mine==1.9")
    assert newest.folder != old.folder


async def test_concurrent_loads_download_once_and_a_later_one_needs_no_network(from_index: Any, index: Index) -> None:
    index.wheel("mine", "1.0", FILES)
    sources = from_index(index.url)
    await asyncio.gather(*(sources.resolve("pypi:mine==1.0") for _ in range(5)))
    assert sum(path.endswith(".whl") for path in index.requests) == 1
    before = len(index.requests)
    await from_index(index.url).resolve("pypi:mine==1.0")
    await from_index(index.url).resolve("pypi:mine", pinned="pypi:mine==1.0")
    assert len(index.requests) == before


async def test_a_version_that_is_not_there_and_a_package_that_is_not_there(from_index: Any, index: Index) -> None:
    index.wheel("mine", "1.0", FILES)
    for source in ("pypi:mine==2.0", "pypi:nothing-like-it==1.0"):
        with pytest.raises(NotFoundError) as caught:
            await from_index(index.url).resolve(source)
        assert caught.value.reason is Reason.SOURCE_NOT_FOUND
        assert source in caught.value.message


def never(tmp_path: Path) -> str:
    """Code that tells when it was run."""
    return f"open({str(tmp_path / 'ran')!r}, 'w').close()\nfrom setuptools import setup\nsetup()\n"


STATIC = "Metadata-Version: 2.4\nName: mine\nVersion: 1.0\nRequires-Dist: six==1.16.0\nRequires-Dist: x; extra == 'y'\n"
OLD = "Metadata-Version: 2.1\nName: mine\nVersion: 1.0\nRequires-Dist: six==1.16.0\n"
SYSTEM = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
PROJECT = SYSTEM + "[project]\nname = 'mine'\nversion = '1.0'\n"


@pytest.mark.parametrize(
    ("files", "listed"),
    [
        ({"PKG-INFO": STATIC}, ["six==1.16.0"]),
        ({"PKG-INFO": STATIC, "pyproject.toml": SYSTEM}, ["six==1.16.0"]),
        ({"PKG-INFO": STATIC, "pyproject.toml": PROJECT + "dynamic = ['dependencies']\n"}, ["six==1.16.0"]),
        ({"PKG-INFO": OLD, "pyproject.toml": PROJECT + "dependencies = ['six']\n"}, None),
        ({"PKG-INFO": OLD, "requirements.txt": "six\n"}, ["six"]),
    ],
)
async def test_a_package_without_a_wheel_is_taken_as_a_repository_is_and_runs_nothing(
    from_index: Any, index: Index, tmp_path: Path, files: dict[str, str], listed: list[str] | None
) -> None:
    code = {"setup.py": never(tmp_path), "backend.py": never(tmp_path)}
    index.sdist("mine", "1.0", FILES | code | files)
    said: list[str] = []
    checkout = await from_index(index.url).resolve("pypi:mine", report=lambda message, _: said.append(message))
    assert checkout.resolved == "pypi:mine==1.0"
    assert (checkout.folder / "MediaConduit.provider.yml").read_text() == MANIFEST
    assert (checkout.folder / "mine_provider" / "__init__.py").is_file()
    needed = checkout.folder / "requirements.txt"
    assert (needed.read_text().splitlines() if needed.exists() else None) == listed
    assert "there is no wheel: fetching the source distribution" in said
    before = len(index.requests)
    assert (await from_index(index.url).resolve("pypi:mine==1.0")).folder == checkout.folder
    assert len(index.requests) == before
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "files",
    [
        {"PKG-INFO": OLD},
        {"PKG-INFO": STATIC + "Dynamic: Requires-Dist\n"},
        {"PKG-INFO": OLD, "pyproject.toml": PROJECT + "dynamic = ['dependencies']\n"},
    ],
)
async def test_what_only_code_could_tell_is_refused_and_not_run(
    from_index: Any, index: Index, tmp_path: Path, files: dict[str, str]
) -> None:
    index.sdist("mine", "1.0", FILES | files | {"setup.py": never(tmp_path), "backend.py": never(tmp_path)})
    with pytest.raises(PreconditionError, match=r"only its setup.py could say what it requires") as caught:
        await from_index(index.url).resolve("pypi:mine==1.0")
    assert caught.value.reason is Reason.BUILD_FAILED
    assert not (tmp_path / "ran").exists()
    assert list((tmp_path / "state").iterdir()) == []


async def test_a_wheel_is_taken_before_what_it_was_built_from(from_index: Any, index: Index) -> None:
    index.sdist("mine", "1.0", FILES | {"PKG-INFO": STATIC, "only_here.txt": "x"})
    index.wheel("mine", "1.0", FILES)
    checkout = await from_index(index.url).resolve("pypi:mine==1.0")
    assert not (checkout.folder / "only_here.txt").exists()


async def test_an_archive_that_is_not_what_the_index_says_is_refused(from_index: Any, index: Index) -> None:
    index.sdist("mine", "1.0", FILES | {"PKG-INFO": STATIC})
    index.damage("mine-1.0.tar.gz")
    with pytest.raises(UnavailableError, match="could not be downloaded"):
        await from_index(index.url).resolve("pypi:mine==1.0")


async def test_an_archive_that_reaches_out_of_its_folder_is_refused(
    from_index: Any, index: Index, tmp_path: Path
) -> None:
    index.sdist("mine", "1.0", FILES | {"PKG-INFO": STATIC, "../../../escaped": "x"})
    with pytest.raises(NotFoundError, match="cannot be unpacked"):
        await from_index(index.url).resolve("pypi:mine==1.0")
    assert list(tmp_path.rglob("escaped")) == []


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"mine_provider/__init__.py": ""}, "no manifest"),
        (FILES | {"other/MediaConduit.provider.yml": MANIFEST}, "2 manifests"),
    ],
)
async def test_a_package_that_is_no_provider_says_why(
    from_index: Any, index: Index, files: dict[str, str], why: str, tmp_path: Path
) -> None:
    index.wheel("mine", "1.0", files)
    with pytest.raises(NotFoundError, match=why):
        await from_index(index.url).resolve("pypi:mine==1.0")
    assert list((tmp_path / "state").iterdir()) == []


async def test_a_private_index_gets_credentials_from_uv_and_none_gets_out(
    from_index: Any, tmp_path: Path, environ: dict[str, str]
) -> None:
    with package_index(tmp_path / "private", private=True) as index:
        index.wheel("mine", "1.0", FILES)
        with_password = index.url.replace("://", "://someone:wrong-s3cret@")
        with capture_logs() as logs, pytest.raises(PreconditionError) as caught:
            await from_index(with_password).resolve("pypi:mine==1.0")
        assert caught.value.reason is Reason.CREDENTIALS_MISSING
        assert "s3cret" not in str(caught.value) + repr(caught.value.metadata) + repr(logs)
        netrc = Path(environ["HOME"], ".netrc")
        netrc.write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
        assert (await from_index(index.url).resolve("pypi:mine==1.0")).folder.is_dir()
        index.sdist("other", "1.0", FILES | {"PKG-INFO": STATIC.replace("mine", "other")})
        assert (await from_index(index.url).resolve("pypi:other==1.0")).folder.is_dir()
        netrc.unlink()
        (tmp_path / "state").rename(tmp_path / "before")
        with_password = index.url.replace("://", f"://{USER}:{PASSWORD}@")
        assert (await from_index(with_password).resolve("pypi:other==1.0")).folder.is_dir()


async def test_an_index_that_cannot_be_reached_is_unavailable(from_index: Any) -> None:
    with pytest.raises(UnavailableError) as caught:
        await from_index("http://127.0.0.1:9/simple/", UV_HTTP_RETRIES="0").resolve("pypi:mine==1.0")
    assert caught.value.reason is Reason.VENDOR_UNAVAILABLE


async def test_a_package_runs_with_what_its_wheel_requires(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import six\n" + GOOD.replace('"one"', "six.__version__")
    index.wheel("my_own", "1.0", FILES | {"mine_provider/__init__.py": code}, ["six==1.16.0"])
    monkeypatch.setenv("UV_INDEX", index.url)
    async with broker(tmp_path / "broker", trust=TrustConfig(allow=["pypi:my-own"])) as (_, client):
        assert (await load(client, "pypi:my-own==1.0"))[0] == "fetching"
        assert (await client.model("mine/default").transform("x")).text == "1.16.0"


async def test_a_package_without_a_wheel_runs(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import six\n" + GOOD.replace('"one"', "six.__version__")
    files = {"mine_provider/__init__.py": code, "PKG-INFO": STATIC, "setup.py": never(tmp_path)}
    index.sdist("mine", "1.0", FILES | files)
    monkeypatch.setenv("UV_INDEX", index.url)
    async with broker(tmp_path / "broker", trust=TrustConfig(allow=["pypi:mine"])) as (_, client):
        await load(client, "pypi:mine==1.0")
        assert (await client.model("mine/default").transform("x")).text == "1.16.0"
    assert not (tmp_path / "ran").exists()
