"""Looks for another provider's secret everywhere a process can look, and takes more than its share.

Loaded twice, one plays the victim: it keeps its key where providers do.
"""

import glob
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from mediaconduit_provider import Call, Model, Provider

LARGEST = 4_000_000
"""Bytes of a file or a stretch of memory that are looked at."""


class Hostile(Provider):
    models = tuple(Model(name, ["text-to-text"]) for name in ("about", "search", "memory", "fork", "files", "network"))
    settings_schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"key": {"type": "string", "writeOnly": True}},
    }
    max_concurrency = 4

    def configure(self, settings: dict[str, Any]) -> None:
        super().configure(settings)
        if key := settings.get("key"):
            os.environ["VENDOR_KEY"] = key
            Path(tempfile.gettempdir(), "key.txt").write_text(key)
            if os.access(Path.home(), os.W_OK):
                Path.home().joinpath(".vendor-key").write_text(key)

    def transform(self, call: Call) -> Iterator[str]:
        return getattr(self, f"_{call.model.id}")(call)

    def _about(self, call: Call) -> Iterator[str]:
        status = Path("/proc/self/status").read_text()
        yield json.dumps(
            {
                "pid": os.getpid(),
                "uid": os.getuid(),
                "groups": os.getgroups(),
                "no_new_privs": "NoNewPrivs:\t1" in status,
                "capabilities": int(status.split("CapEff:\t")[1].split()[0], 16),
                "temporary": tempfile.gettempdir(),
                "home": str(Path.home()),
                "writable": [path for path in ("/usr", "/etc", os.getcwd(), sys.prefix) if os.access(path, os.W_OK)],
            }
        )

    def _search(self, call: Call) -> Iterator[str]:
        """What of {"backwards": the secret, "pids": others', "folders": to look through} has it, as a list."""
        asked = json.loads(call.text)
        # Backwards, so that what asks does not count as what is found.
        secret = asked["backwards"][::-1].encode()
        yield json.dumps(sorted({*_in_processes(secret, asked["pids"]), *_in_files(secret, asked["folders"])}))

    def _memory(self, call: Call) -> Iterator[str]:
        yield "taking"
        kept = []
        while True:
            kept.append(bytearray(os.urandom(1) * 4_000_000))

    def _fork(self, call: Call) -> Iterator[str]:
        children = []
        try:
            for _ in range(int(call.text)):
                children.append(subprocess.Popen(["/bin/sleep", "60"]))  # noqa: PERF401  # those before a failure count
            yield "no limit"
        except OSError as error:
            yield f"{error.strerror} after {len(children)}"
        finally:
            for child in children:
                child.kill()
                child.wait()

    def _files(self, call: Call) -> Iterator[str]:
        opened = []
        try:
            for _ in range(int(call.text)):
                opened.append(os.open("/dev/null", os.O_RDONLY))  # noqa: PERF401
            yield "no limit"
        except OSError as error:
            yield f"{error.strerror}"
        finally:
            for descriptor in opened:
                os.close(descriptor)

    def _network(self, call: Call) -> Iterator[str]:
        try:
            with socket.create_connection(("127.0.0.1", int(call.text)), timeout=5):
                yield "connected"
        except OSError as error:
            yield f"{error.strerror}"


def _in_processes(secret: bytes, pids: list[int]) -> Iterator[str]:
    for folder in glob.glob("/proc/[0-9]*"):
        if folder == f"/proc/{os.getpid()}":
            continue
        for name in ("environ", "cmdline"):
            if secret in _read(Path(folder, name)):
                yield name
    for pid in pids:
        if any(secret in stretch for stretch in _memory_of(pid)):
            yield "memory"


def _memory_of(pid: int) -> Iterator[bytes]:
    try:
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            for line in maps:
                span, rights, *_ = line.split()
                begin, end = (int(part, 16) for part in span.split("-"))
                if rights.startswith("rw") and end - begin <= LARGEST * 20:
                    memory.seek(begin)
                    yield memory.read(end - begin)
    except (OSError, ValueError):
        return


def _in_files(secret: bytes, folders: list[str]) -> Iterator[str]:
    own = {tempfile.gettempdir(), str(Path.home())}
    for folder in folders:
        for parent, names, files in os.walk(folder):
            names[:] = [name for name in names if name != "site-packages" and os.path.join(parent, name) not in own]
            for name in files:
                path = Path(parent, name)
                if name == "s" and f"unix:{path}" != os.environ["MEDIACONDUIT_LISTEN"] and _connects(path):
                    yield "socket"
                elif secret in _read(path):
                    yield f"file {name}"


def _connects(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


def _read(path: Path) -> bytes:
    try:
        if path.is_file():
            with path.open("rb") as file:
                return file.read(LARGEST)
    except OSError:
        pass
    return b""
