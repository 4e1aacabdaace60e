"""A real package index for tests: pypiserver over a folder, on a free loopback port; and packages to put there."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import sys
import tarfile
import threading
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pypiserver
# Its copy of bottle leaves a finder of Python 2's kind, of which every later import that fails would warn.
sys.meta_path[:] = [finder for finder in sys.meta_path if hasattr(finder, "find_spec")]

USER, PASSWORD = "reader", "s3cret-of-the-index"


class Index:
    """What `package_index` gives.

    Attributes:
        folder: Its packages.
        url: For UV_DEFAULT_INDEX.
        requests: Paths that were asked for.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.requests: list[str] = []
        self.damaged = ""

    def wheel(self, name: str, version: str, files: Mapping[str, str], requires: Sequence[str] = ()) -> None:
        """Puts a wheel there."""
        info = f"{name}-{version}.dist-info"
        needed = "".join(f"Requires-Dist: {line}\n" for line in requires)
        whole = {
            **files,
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}\nWords.\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = "".join(f"{path},sha256={_sha256(text)},{len(text.encode())}\n" for path, text in whole.items())
        whole[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
        with zipfile.ZipFile(self.folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
            for path, text in whole.items():
                archive.writestr(path, text)

    def damage(self, file: str) -> None:
        """From here on another content comes than the index tells the hash of."""
        self.damaged = file

    def sdist(self, name: str, version: str, files: Mapping[str, str]) -> None:
        """Puts a source distribution there."""
        with tarfile.open(self.folder / f"{name}-{version}.tar.gz", "w:gz") as archive:
            for path, text in files.items():
                entry = tarfile.TarInfo(f"{name}-{version}/{path}")
                entry.size = len(text.encode())
                archive.addfile(entry, io.BytesIO(text.encode()))


@contextlib.contextmanager
def package_index(folder: Path, *, private: bool = False) -> Iterator[Index]:
    """Serves until the block is left. A private one asks for `USER` and `PASSWORD`."""
    folder.mkdir(parents=True)
    made = Index(folder)
    options: dict[str, Any] = {"roots": [folder], "disable_fallback": True, "backend_arg": "simple-dir"}
    if private:
        options |= {"authenticate": ["list", "download"], "auther": lambda *given: given == (USER, PASSWORD)}
    app = pypiserver.app(**options)

    def answer(environ: Any, start: Any) -> Any:
        made.requests.append(environ["PATH_INFO"])
        if made.damaged and environ["PATH_INFO"].endswith(made.damaged):
            start("200 OK", [("Content-Type", "application/octet-stream")])
            return [b"something else"]
        environ.pop("HTTP_RANGE", None)  # bottle never closes a file it gives a part of
        return app(environ, start)

    with make_server("127.0.0.1", 0, answer, _Server, _Quiet) as server:
        made.url = f"http://127.0.0.1:{server.server_port}/simple/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Keeps the test's output readable."""


def _sha256(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
