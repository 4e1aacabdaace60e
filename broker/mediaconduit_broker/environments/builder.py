"""Builds Python environments with uv."""

from __future__ import annotations

import asyncio
import platform
import re
import shutil
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uv
from mediaconduit import tasks
from mediaconduit.errors import PreconditionError, Reason

from mediaconduit_broker.environments.plan import EnvironmentPlan
from mediaconduit_broker.environments.record import EnvironmentRecord
from mediaconduit_broker.runners.command import CommandFailedError, run_command

_SMOKE: Final = "import mediaconduit_provider.__main__"
_PASSED_ON: Final = re.compile(
    r"^(PATH|HOME|LANG|LC_\w+|TMPDIR|SSL_CERT_(FILE|DIR)|(HTTPS?|ALL|NO)_PROXY|UV_\w+|XDG_\w+)$", re.I
)
_NO_SPACE: Final = re.compile(r"no space left|os error 28|disk quota", re.I)


@dataclass(frozen=True, slots=True)
class BuildStep:
    """How far a build is."""

    message: str
    fraction: float
    log_lines: tuple[str, ...] = ()


Report = Callable[[BuildStep], None]


class EnvironmentBuilder:
    """Owns the folder of environments. Concurrent requests for one key share one build.

    Args:
        root: Where environments live.
        environ: The broker's own variables; builds get those that say where things are, nothing else.
        timeout: Seconds one build may take.
    """

    def __init__(self, root: Path, environ: Mapping[str, str], *, timeout: float) -> None:
        self._root = root
        self._environ = {key: value for key, value in environ.items() if _PASSED_ON.match(key)}
        self._timeout = timeout
        self._running: dict[str, asyncio.Task[Path]] = {}

    def folder(self, plan: EnvironmentPlan) -> Path:
        """Where the environment of a plan is or will be."""
        return self._root / plan.key

    async def ensure(self, plan: EnvironmentPlan, report: Report = lambda step: None) -> Path:
        """The interpreter of the environment, built when it is not there yet.

        Raises:
            PreconditionError: BUILD_FAILED with the step and the last lines of its output; nothing half-built stays.
        """
        folder = self.folder(plan)
        if EnvironmentRecord.read(folder) is not None:
            return folder / "bin" / "python"
        task = self._running.get(plan.key)
        if task is None:
            task = tasks.start(self._build(plan, report), name=f"build {plan.key}")
            self._running[plan.key] = task
            task.add_done_callback(lambda _: self._running.pop(plan.key, None))
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Ends running builds."""
        await tasks.cancel_and_join(*self._running.values())

    async def _build(self, plan: EnvironmentPlan, report: Report) -> Path:
        staging = self._root / f".{plan.key}-{uuid.uuid4().hex[:8]}"
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout):
                await self._make(plan, staging, report)
            record = await asyncio.to_thread(_record, plan, staging, time.monotonic() - started)
            record.write(staging)
            final = self.folder(plan)
            await asyncio.to_thread(shutil.rmtree, final, ignore_errors=True)
            staging.rename(final)
        except TimeoutError:
            raise _failed("install", f"the build took longer than {self._timeout:g} s", "") from None
        except OSError as error:
            raise _failed("install", f"the environment could not be written: {error.strerror}", "") from None
        finally:
            await asyncio.to_thread(shutil.rmtree, staging, ignore_errors=True)
        report(BuildStep("environment ready", 1.0))
        return final / "bin" / "python"

    async def _make(self, plan: EnvironmentPlan, staging: Path, report: Report) -> None:
        report(BuildStep("creating the environment", 0.1))
        python = staging / "bin" / "python"
        await self._uv("create", "venv", "--relocatable", "--python", str(plan.interpreter), str(staging))
        count = len(plan.requirements)
        report(BuildStep(f"installing {count} requirement{'' if count == 1 else 's'}", 0.3))
        # Copies, because an edit of a hard-linked file would appear in every environment. Wheels only, because a
        # source distribution runs its author's code to build.
        output = await self._uv(
            "install", "pip", "install", "--python", str(python), "--link-mode", "copy", "--compile-bytecode",
            "--no-build", *map(str, plan.wheels), *plan.requirements,
        )  # fmt: skip
        report(BuildStep("checking the environment", 0.9, tuple(output.splitlines()[-20:])))
        await self._run("check", str(python), "-I", "-c", _SMOKE)

    async def _uv(self, step: str, *arguments: str) -> str:
        return await self._run(step, uv.find_uv_bin(), *arguments)

    async def _run(self, step: str, *command: str) -> str:
        try:
            return await run_command(*command, environ=self._environ)
        except CommandFailedError as error:
            raise _failed(step, f"the provider's environment could not be built (step {step})", error.output) from None


def _record(plan: EnvironmentPlan, folder: Path, seconds: float) -> EnvironmentRecord:
    found = (path.name[: -len(".dist-info")] for path in folder.glob("lib/python*/site-packages/*.dist-info"))
    return EnvironmentRecord(
        key=plan.key,
        interpreter=f"{platform.python_implementation()} {platform.python_version()}",
        packages=tuple(sorted("==".join(name.rsplit("-", 1)) for name in found)),
        size_bytes=sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir()),
        build_time=time.time(),
        build_seconds=seconds,
    )


def _failed(step: str, message: str, output: str) -> PreconditionError:
    # uv begins with where it works, which is nobody else's business.
    lines = [line for line in output.splitlines() if line.strip() and not line.startswith("Using ")]
    text = "\n".join(lines)
    if _NO_SPACE.search(text) or _NO_SPACE.search(message):
        message, hint = "the disk is full: the environment could not be built", "free some space, then load it again"
    elif "No solution found" in text or "unsatisfiable" in text:
        message = "the provider's requirements do not fit together"
        hint = "\n".join(line.strip(" ╰─▶├×") for line in lines)[-480:]
    elif "Failed to fetch" in text or "error sending request" in text:
        message = "the package registry could not be reached"
        hint = "check the network, the proxy and the certificates, then load it again: " + lines[-1].strip()[:200]
    elif "--no-build" in text or "no-build" in text:
        message = "a dependency has no wheel for this machine"
        hint = "pin a version that has one: building from source would run its author's code"
    else:
        hint = "its last lines are in last_lines; mend the requirements and load it again"
    return PreconditionError(
        message, reason=Reason.BUILD_FAILED, hint=hint, metadata={"step": step, "last_lines": text[-2048:]}
    )
