"""Which ffmpeg."""

from __future__ import annotations

import asyncio
import os
import shutil

from mediaconduit_provider import InvalidRequestError, PreconditionError

from ffmpeg_provider.process import end


def find(configured: str = "") -> str:
    """The path of the ffmpeg to use: the configured one, the one in the wheel of imageio-ffmpeg, the system's.

    Raises:
        InvalidRequestError: The configured one cannot be run.
        PreconditionError: There is none.
    """
    if configured:
        found = shutil.which(configured)
        if found is None:
            raise InvalidRequestError.at(
                "settings.ffmpeg_path",
                "no program can be run there",
                hint="give the absolute path of an ffmpeg, or leave the setting out to use the bundled one",
            )
        return found
    bundled = _bundled()
    if bundled is not None and os.access(bundled, os.X_OK):
        return bundled
    system = shutil.which("ffmpeg")
    if system is None:
        raise PreconditionError(
            "there is no ffmpeg on this machine",
            hint="install the package imageio-ffmpeg or ffmpeg, or set ffmpeg_path",
        )
    return system


async def verify(path: str) -> None:
    """Raises `InvalidRequestError` unless the configured program is an ffmpeg."""
    try:
        process = await asyncio.create_subprocess_exec(
            path,
            "-version",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        raise _not_ffmpeg() from None
    try:
        async with asyncio.timeout(10):
            said, _ = await process.communicate()
    except TimeoutError:
        raise _not_ffmpeg() from None
    finally:
        await end(process)
    if not said.startswith(b"ffmpeg version"):
        raise _not_ffmpeg()


def _not_ffmpeg() -> InvalidRequestError:
    return InvalidRequestError.at("settings.ffmpeg_path", "the program there is not an ffmpeg")


def _bundled() -> str | None:
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        return str(get_ffmpeg_exe())
    except (ImportError, RuntimeError):  # the wheel of some platforms has no program in it
        return None
