"""A real npm registry for tests: verdaccio over a folder, on a free loopback port; and packages to put there."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "verdaccio"
INSTALLED = ROOT / ".cache" / "verdaccio"


@dataclass
class Registry:
    """What `npm_registry` gives."""

    environ: dict[str, str]
    """Variables with which npm uses it, and a cache of its own."""
    folder: Path
    process: subprocess.Popen[str]

    def publish(self, name: str, version: str, files: Mapping[str, str], **package: object) -> None:
        """Puts a package there; `package` goes into its package.json."""
        folder = self.folder / "packages" / name / version
        folder.mkdir(parents=True)
        stated = {"name": name, "version": version, **package}
        for path, text in {"package.json": json.dumps(stated), **files}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        command = ("npm", "publish", "--ignore-scripts", "--loglevel=error")
        subprocess.run(command, cwd=folder, env=self.environ, check=True, capture_output=True)

    def stop(self) -> None:
        """From here on it is not there."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait(10)


@contextlib.contextmanager
def npm_registry(folder: Path) -> Iterator[Registry]:
    """Serves until the block is left."""
    modules = _install()
    folder.mkdir(parents=True)
    with subprocess.Popen(
        ("node", str(HERE / "start.cjs"), str(modules), str(folder)),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        line = next((line for line in process.stdout if line.startswith("port ")), "")
        assert line, "verdaccio did not start"
        host = f"127.0.0.1:{int(line.split()[1])}"
        config = folder / "npmrc"
        config.write_text(f"registry=http://{host}/\n//{host}/:_authToken=of-a-test\ncache={folder}/cache\n")
        environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environ["NPM_CONFIG_USERCONFIG"] = str(config)
        registry = Registry(environ, folder, process)
        try:
            yield registry
        finally:
            registry.stop()


def _install() -> Path:
    """verdaccio as locked; fetched once."""
    modules, lock = INSTALLED / "node_modules", (HERE / "package-lock.json").read_bytes()
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with _alone(INSTALLED / ".lock"):
        done = INSTALLED / ".installed"
        if not done.exists() or done.read_bytes() != lock:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, INSTALLED)
            command = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
            subprocess.run(command, cwd=INSTALLED, check=True, capture_output=True)
            done.write_bytes(lock)
    return modules


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
