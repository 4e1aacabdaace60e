"""A real broker process and a real command line, with pipes or on a terminal."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.brokers import PROVIDERS

COMMAND = (sys.executable, "-m", "mediaconduit_broker.cli")


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str
    data: bytes


@dataclass(frozen=True)
class Cli:
    """Runs commands against one broker."""

    broker: str
    cwd: Path = PROVIDERS
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        return os.environ | {"MEDIACONDUIT_BROKER": self.broker, "COLUMNS": "100"} | dict(self.variables)

    def __call__(self, *arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None) -> Done:
        ended = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            env=self.environ,
            cwd=cwd or self.cwd,
            timeout=90,
        )
        out = ended.stdout.decode("utf-8", "replace")
        return Done(ended.returncode, out, ended.stderr.decode(), ended.stdout)

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """A command under way, its output in pipes."""
        return subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environ,
            cwd=self.cwd,
            text=True,
        )

    def on_terminal(self, *arguments: str | Path) -> tuple[int, str]:
        """Exit code and all that a terminal showed, escape sequences included."""
        ours, theirs = pty.openpty()
        try:
            process = subprocess.Popen(
                [*COMMAND, *map(str, arguments)],
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                env=self.environ | {"TERM": "xterm"},
                cwd=self.cwd,
            )
            os.close(theirs)
            shown = b""
            try:
                while chunk := os.read(ours, 65536):
                    shown += chunk
            except OSError:
                pass  # the last one on the other side has gone
            return process.wait(60), shown.decode()
        finally:
            os.close(ours)


@dataclass(frozen=True)
class Up:
    """A broker that serves."""

    process: subprocess.Popen[str]
    address: str
    log: list[str]

    def stop(self, number: int = signal.SIGINT) -> int:
        """Sends a signal and waits for the exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Environments that all brokers of a run share, so that each is built once."""
    return tmp_path_factory.mktemp("environments")


def up(state: Path, environments: Path, *arguments: str) -> tuple[Up, threading.Thread]:
    """Starts a broker; returns once it serves."""
    state.mkdir(parents=True, exist_ok=True)
    if not (state / "environments").exists():
        (state / "environments").symlink_to(environments)
    process = subprocess.Popen(
        [*COMMAND, "up", "--listen", "127.0.0.1:0", "--state-dir", str(state), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=PROVIDERS,
    )
    log: list[str] = []
    assert process.stdout is not None and process.stderr is not None
    reader = threading.Thread(target=log.extend, args=(process.stderr,))
    reader.start()
    line = process.stdout.readline()
    found = re.search(r"serves on (\S+)", line)
    if found is None:
        process.kill()
        reader.join()
        raise AssertionError(f"no address in {line!r}: {log}")
    return Up(process, found[1], log), reader


def down(broker: Up, reader: threading.Thread) -> None:
    """Ends a broker that is not to be looked at any more."""
    if broker.process.poll() is None:
        broker.process.send_signal(signal.SIGTERM)
    broker.process.wait(30)
    reader.join()
    assert broker.process.stdout is not None and broker.process.stderr is not None
    broker.process.stdout.close()
    broker.process.stderr.close()


StartBroker = Callable[..., Up]


@pytest.fixture
def start_broker(tmp_path: Path, environments: Path) -> Iterator[StartBroker]:
    """Starts brokers that end with the test."""
    running = []

    def start(*arguments: str, state: Path | None = None) -> Up:
        running.append(up(state or tmp_path / "state", environments, *arguments))
        return running[-1][0]

    yield start
    for broker, reader in running:
        down(broker, reader)


@pytest.fixture(scope="session")
def cli(tmp_path_factory: pytest.TempPathFactory, environments: Path) -> Iterator[Cli]:
    """The command line, against a broker that runs the providers `shapes` and `faulty`."""
    broker, reader = up(tmp_path_factory.mktemp("cli") / "state", environments)
    try:
        made = Cli(broker.address)
        for name in ("shapes", "faulty"):
            added = made("provider", "add", f"./{name}")
            assert added.code == 0, added.err
        yield made
    finally:
        down(broker, reader)
