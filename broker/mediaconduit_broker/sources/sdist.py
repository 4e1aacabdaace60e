"""Source distributions: found by uv, fetched and unpacked as they are, never built."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import email.parser
import hashlib
import netrc
import re
import shutil
import ssl
import sys
import tarfile
import threading
import tomllib
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Final

import uv
from mediaconduit import tasks

from mediaconduit_broker.runners.command import run_command
from mediaconduit_broker.sources import pypi_errors
from mediaconduit_broker.sources.parse import PypiSource

_CHUNK: Final = 256 * 1024
_SILENCE_SECONDS: Final = 15.0
"""How long a server may say nothing."""
_INDEXES: Final = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL")
_STATIC_SINCE: Final = (2, 2)
"""Version of metadata from which what a source distribution states holds for all that is built of it."""


@dataclass(frozen=True, slots=True)
class Sdist:
    """One that an index has."""

    url: str
    sha256: str
    version: str


async def locate(wanted: PypiSource, folder: Path, environ: Mapping[str, str]) -> Sdist:
    """The source distribution of a package; uv chooses it, by the indexes and rules it is configured with.

    Args:
        wanted: The package.
        folder: An empty one, to work in.
        environ: uv's variables.

    Raises:
        CommandFailedError: uv finds none.
        NotFoundError: It has none.
    """
    # Told what the package requires, uv has no reason to build it to find out.
    (folder / "uv.toml").write_text(f'[[dependency-metadata]]\nname = "{wanted.name}"\nrequires-dist = []\n')
    (folder / "wanted.txt").write_text(f"{wanted.name}=={wanted.version}\n" if wanted.version else f"{wanted.name}\n")
    await run_command(
        uv.find_uv_bin(), "pip", "compile", "--directory", str(folder), "--no-deps", "--format", "pylock.toml",
        "--no-binary", wanted.name, "--output-file", "pylock.toml", "--quiet", "--python", sys.executable, "wanted.txt",
        environ=environ,
    )  # fmt: skip
    with contextlib.suppress(KeyError, IndexError, OSError, tomllib.TOMLDecodeError):
        found = tomllib.loads((folder / "pylock.toml").read_text(encoding="utf-8"))["packages"][0]
        return Sdist(found["sdist"]["url"], found["sdist"]["hashes"]["sha256"], found["version"])
    raise pypi_errors.missing(wanted)


async def fetch(found: Sdist, wanted: PypiSource, archive: Path, environ: Mapping[str, str]) -> None:
    """Downloads it. Cancelled, it ends with the piece that is under way.

    Raises:
        MediaConduitError: It could not be downloaded, or is not what the index says.
    """
    stop = threading.Event()
    work = tasks.start(asyncio.to_thread(_download, found, wanted, archive, environ, stop), name=f"get {wanted.name}")
    try:
        await asyncio.shield(work)
    finally:
        stop.set()
        await tasks.join(work)


def _download(
    found: Sdist, wanted: PypiSource, archive: Path, environ: Mapping[str, str], stop: threading.Event
) -> None:
    request = urllib.request.Request(found.url)  # noqa: S310  # checked below
    if request.type not in ("http", "https"):
        raise pypi_errors.not_downloaded(wanted)
    if (login := _login(found.url, environ)) is not None:
        # Not passed on to wherever the index may redirect to.
        request.add_unredirected_header("Authorization", f"Basic {login}")
    digest = hashlib.sha256()
    try:
        with _opener(environ).open(request, timeout=_SILENCE_SECONDS) as answer, archive.open("wb") as file:
            while not stop.is_set() and (chunk := answer.read(_CHUNK)):
                digest.update(chunk)
                file.write(chunk)
    except urllib.error.HTTPError as error:
        with error:
            refused = error.code in (401, 403)
        raise (pypi_errors.no_credentials if refused else pypi_errors.not_downloaded)(wanted) from None
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        raise pypi_errors.not_downloaded(wanted) from None
    if not stop.is_set() and digest.hexdigest() != found.sha256:
        raise pypi_errors.not_downloaded(wanted)


def _opener(environ: Mapping[str, str]) -> urllib.request.OpenerDirector:
    """By the variables given, not those of this process."""
    given = {key.lower(): value for key, value in environ.items()}
    proxies = {scheme: given[f"{scheme}_proxy"] for scheme in ("http", "https", "no") if given.get(f"{scheme}_proxy")}
    certificates = ssl.create_default_context(
        cafile=environ.get("SSL_CERT_FILE") or None, capath=environ.get("SSL_CERT_DIR") or None
    )
    return urllib.request.build_opener(
        urllib.request.ProxyHandler(proxies), urllib.request.HTTPSHandler(context=certificates)
    )


def _login(url: str, environ: Mapping[str, str]) -> str | None:
    """Name and password for a server, as Basic has them: from the indexes' own addresses, else from netrc."""
    server = urllib.parse.urlsplit(url)
    for stated in " ".join(environ.get(name, "") for name in _INDEXES).split():
        index = urllib.parse.urlsplit(stated.partition("=")[2] if re.match(r"[\w-]+=", stated) else stated)
        same = (index.scheme, index.hostname, index.port) == (server.scheme, server.hostname, server.port)
        if same and index.username:
            return _encoded(urllib.parse.unquote(index.username), urllib.parse.unquote(index.password or ""))
    file = Path(environ.get("NETRC") or Path(environ.get("HOME", "/nonexistent")) / ".netrc")
    with contextlib.suppress(OSError, netrc.NetrcParseError):
        known = netrc.netrc(str(file)).authenticators(server.hostname or "")
        if known is not None:
            return _encoded(known[0], known[2])
    return None


def _encoded(name: str, password: str) -> str:
    return base64.b64encode(f"{name}:{password}".encode()).decode()


def unpack(archive: Path, folder: Path, wanted: PypiSource) -> None:
    """Unpacks it into a new folder. Nothing of it can land elsewhere.

    Raises:
        NotFoundError: It is no source distribution.
    """
    inside = folder.with_name(f"{folder.name}-unpacked")
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as zipped:
                zipped.extractall(inside)  # noqa: S202  # which never writes outside
        else:
            with tarfile.open(archive) as packed:
                packed.extractall(inside, filter="data")  # the filter refuses what would land elsewhere
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise pypi_errors.no_provider(wanted, f"cannot be unpacked ({type(error).__name__})") from None
    tops = list(inside.iterdir())
    if len(tops) != 1 or not tops[0].is_dir():
        raise pypi_errors.no_provider(wanted, "is no source distribution: it has no folder of its own")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.move(tops[0], folder)


def state_requirements(folder: Path, wanted: PypiSource) -> None:
    """Makes sure that what it requires stands in a file that can be read without running its code.

    Raises:
        PreconditionError: BUILD_FAILED: only its setup.py could tell.
    """
    if _states(folder) or (folder / "requirements.txt").is_file():
        return
    about = folder / "PKG-INFO"
    text = about.read_text(encoding="utf-8", errors="replace") if about.is_file() else ""
    headers = email.parser.Parser().parsestr(text, headersonly=True)
    if _is_static(headers):
        (folder / "requirements.txt").write_text("".join(f"{line}\n" for line in requirements_of(headers)))
    elif (folder / "setup.py").is_file():
        raise pypi_errors.only_by_running(wanted)


def requirements_of(headers: Message) -> list[str]:
    """What a package's metadata requires, without its extras."""
    return [line for line in headers.get_all("Requires-Dist", []) if not re.search(r";.*\bextra\b", line)]


def _states(folder: Path) -> bool:
    try:
        stated = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return False
    project = stated.get("project")
    return isinstance(project, dict) and "dependencies" not in project.get("dynamic", ())


def _is_static(headers: Message) -> bool:
    version = re.fullmatch(r"(\d+)\.(\d+)", str(headers.get("Metadata-Version", "")))
    dynamic = {str(name).lower() for name in headers.get_all("Dynamic", [])}
    since = (int(version[1]), int(version[2])) if version else (0, 0)
    return since >= _STATIC_SINCE and "requires-dist" not in dynamic
