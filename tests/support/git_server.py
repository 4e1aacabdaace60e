"""A real git server for tests: ``git http-backend`` behind HTTP on a free port, with repositories to change."""

from __future__ import annotations

import base64
import contextlib
import gzip
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

USER, PASSWORD = "reader", "s3cret-of-the-test"
_WHO = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
_PLAIN = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "PATH": os.environ["PATH"]}


class Repository:
    """A repository on the server, with a folder to commit from."""

    def __init__(self, bare: Path, work: Path, hashes: str) -> None:
        kind = f"--object-format={hashes}"
        self.bare = bare
        self.folder = work
        bare.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "init", "-q", "--bare", kind, "-b", "main", bare], check=True, env=_PLAIN)
        for key in ("uploadpack.allowFilter", "http.receivepack"):
            subprocess.run(["git", "-C", bare, "config", key, "true"], check=True, env=_PLAIN)
        subprocess.run(["git", "init", "-q", kind, "-b", "main", work], check=True, env=_PLAIN)

    def git(self, *arguments: str) -> str:
        """git in the folder."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, check=True, capture_output=True, text=True, env=_PLAIN | _WHO
        )
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str] | None = None, *, ref: str = "main") -> str:
        """Writes files, commits all of the folder and pushes it to a branch; gives the commit."""
        for name, text in (files or {}).items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "a change")
        self.push(f"HEAD:refs/heads/{ref}")
        return self.git("rev-parse", "HEAD")

    def push(self, refspec: str) -> None:
        """Pushes, with force."""
        self.git("push", "-q", "--force", str(self.bare), refspec)

    def tag(self, name: str, *, annotated: bool = True) -> None:
        """Tags what was committed last, anew where there is such a tag."""
        self.git("tag", "-f", *(["-a", "-m", name] if annotated else []), name)
        self.push(f"refs/tags/{name}")


class GitServer:
    """What `git_server` gives.

    Attributes:
        url: "http://127.0.0.1:1234".
        fetches: Paths of repositories that objects were asked of (``git-upload-pack`` with a ``fetch`` command).
        authorizations: The headers that came, for `private` repositories.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.url = ""
        self.fetches: list[str] = []
        self.requests: list[str] = []
        self.authorizations: list[str] = []
        self.bytes_sent = 0
        self.old = False
        """Speaks the protocol of before 2018, which gives out only the tips of refs."""
        self.asked = threading.Event()
        """Set by the first request."""
        self.hold = threading.Event()
        """While it is not set no request is answered."""
        self.hold.set()

    def repository(self, name: str, *, hashes: str = "sha1") -> Repository:
        """Makes one, "owner/name"; those of the owner "private" ask for `USER` and `PASSWORD`."""
        return Repository(self._root / "bare" / f"{name}.git", self._root / "work" / name, hashes)

    def answer(self, request: _Handler) -> None:
        """Runs ``git http-backend`` for one request."""
        self.requests.append(request.path)
        self.asked.set()
        self.hold.wait()
        if request.path.startswith("/private/"):
            given = request.headers.get("Authorization", "")
            self.authorizations.append(given)
            if not _welcome(given):
                request.send_response(401)
                request.send_header("WWW-Authenticate", 'Basic realm="git"')
                request.end_headers()
                return
        body = _body(request)
        path, _, query = request.path.partition("?")
        if b"command=fetch" in body:
            self.fetches.append(path.removesuffix("/git-upload-pack").lstrip("/"))
        variables = {
            "GIT_PROJECT_ROOT": str(self._root / "bare"),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": request.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "GIT_PROTOCOL": "" if self.old else request.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(
            ["git", "http-backend"], input=body, capture_output=True, check=False, env=_PLAIN | variables
        )
        self.bytes_sent += len(done.stdout)
        _send(request, done.stdout)


@contextlib.contextmanager
def git_server(root: Path) -> Iterator[GitServer]:
    """Serves until the block is left."""
    made = GitServer(root)
    handler = type("Handler", (_Handler,), {"git": made})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        made.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield made
        finally:
            made.hold.set()
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    git: GitServer

    def do_GET(self) -> None:
        self.git.answer(self)

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Keeps the test's output readable."""


def _welcome(given: str) -> bool:
    kind, _, value = given.partition(" ")
    user, _, password = base64.b64decode(value).decode().partition(":") if kind == "Basic" else ("", "", "")
    return password == PASSWORD and user in (USER, "x-access-token")


def _body(request: _Handler) -> bytes:
    if request.headers.get("Transfer-Encoding") == "chunked":
        body = b""
        while size := int(request.rfile.readline().strip() or b"0", 16):
            body += request.rfile.read(size)
            request.rfile.readline()
        request.rfile.readline()
    else:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
    return gzip.decompress(body) if request.headers.get("Content-Encoding") == "gzip" else body


def _send(request: _Handler, answer: bytes) -> None:
    head, _, content = answer.partition(b"\r\n\r\n")
    headers = [line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line]
    status = next((value for name, value in headers if name == "Status"), "200")
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        request.send_response(int(status.split()[0]))
        for name, value in headers:
            if name != "Status":
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)
