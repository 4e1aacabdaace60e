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


async def test_a_source_distribution_is_refused_and_runs_nothing(from_index: Any, index: Index, tmp_path: Path) -> None:
    index.sdist("mine", "1.0", {"setup.py": f"open({str(tmp_path / 'ran')!r}, 'w')", "PKG-INFO": "Name: mine\n"})
    with pytest.raises(PreconditionError, match="no wheel") as caught:
        await from_index(index.url).resolve("pypi:mine==1.0")
    assert caught.value.reason is Reason.BUILD_FAILED
    assert not (tmp_path / "ran").exists()


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
