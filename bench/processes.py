"""Processes that are measured: started, watched from outside, ended."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
MEGABYTE = 1_000_000


class Measured:
    """A process seen from outside."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def cpu_seconds(self) -> float:
        """CPU time of all its threads so far, to the nanosecond; psutil has it in steps of 10 ms."""
        return time.clock_gettime((~self.pid << 3) | 2)  # the kernel's CPUCLOCK_SCHED of a process

    def memory(self) -> int:
        """Resident bytes now."""
        return self._status("VmRSS")

    def peak(self) -> int:
        """Most resident bytes since `reset_peak`."""
        return self._status("VmHWM")

    def reset_peak(self) -> None:
        """Peak counts from here on."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def reaped_faults(self) -> int:
        """Page faults of children it has waited for: unchanged means that it started none in between."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[8])

    def _status(self, key: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{key}:"):
                return int(line.split()[1]) * 1024
        raise ProcessLookupError(f"process {self.pid} has ended")


class Child(Measured):
    """A process of ours."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        super().__init__(process.pid)
        self._process = process

    async def hear(self, start: str) -> str:
        """Its next line of output that starts so.

        Raises:
            RuntimeError: It ended without.
        """
        assert self._process.stdout is not None
        async for raw in self._process.stdout:
            line = raw.decode().strip()
            if line.startswith(start):
                return line
        raise RuntimeError(f"process {self.pid} ended early: see its log")

    def tell(self, line: str) -> None:
        """Writes a line to its stdin."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    async def end(self) -> None:
        """Closes its stdin, terminates it, waits."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(20):
                await self._process.communicate()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@contextlib.asynccontextmanager
async def running(
    *command: str, cwd: Path = ROOT, environ: Mapping[str, str] | None = None, log: Path, heard: bool = True
) -> AsyncIterator[Child]:
    """A process, ended when the block is left.

    Args:
        command: What to run.
        cwd: Where.
        environ: Its variables; None = ours.
        log: File that its stderr is appended to.
        heard: Whether its stdout is for `Child.hear`; else it goes nowhere.
    """
    with log.open("ab") as sink:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=cwd,
            env=dict(environ) if environ is not None else None,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE if heard else asyncio.subprocess.DEVNULL,
            stderr=sink,
        )
    child = Child(process)
    try:
        yield child
    finally:
        await child.end()
