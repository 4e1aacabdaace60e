"""A fake vendor: answers by method and path, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

NEVER = object()
"""The answer of a vendor that hangs."""
Answer = Any
"""JSON, bytes, a list of lines to stream, or a pair of status and one of these."""


@dataclass
class Asked:
    """A request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Upstream:
    """Where it is, what it answers, what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: dict[str, Answer | Callable[[Asked], Answer]] = {}
        self.url = ""
        self.held = threading.Event()
        """Set while a request waits that is answered with `NEVER`."""
        self.left = threading.Event()
        """Set when who asked has closed the connection of such a request."""

    def on(self, route: str, answer: Answer | Callable[[Asked], Answer]) -> None:
        """`on("POST /cowsay", {…})`; the query is no part of the route."""
        self.answers[route] = answer


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    made = Upstream()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = self._chunked() if self.headers.get("transfer-encoding") == "chunked" else self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, body)
            made.asked.append(asked)
            answer = made.answers.get(f"{self.command} {self.path.partition('?')[0]}", (404, {"error": "no route"}))
            self._answer(answer(asked) if callable(answer) else answer)

        do_POST = do_GET  # noqa: N815

        def _chunked(self) -> bytes:
            body = b""
            while size := int(self.rfile.readline().strip(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _answer(self, answer: Answer) -> None:
            if answer is NEVER:
                made.held.set()
                self.close_connection = True
                if not self.connection.recv(1):
                    made.left.set()
                return
            status, answer = answer if isinstance(answer, tuple) else (200, answer)
            kind = "application/octet-stream" if isinstance(answer, bytes) else "application/json"
            if isinstance(answer, list) and answer and isinstance(answer[0], str):
                data = "".join(f"{line}\n" for line in answer).encode()
            else:
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Callers leave: that is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    made.url = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join(5)
