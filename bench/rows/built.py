"""Providers that are built: how soon they start, and what they weigh. Nothing where their toolchain is missing."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from bench.processes import MEGABYTE, ROOT, Measured
from bench.report import Row, at_most, figure
from bench.world import Served, World

_ROUNDS: Final = 7
_PIXEL: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001f61738"
    "550000000049454e44ae426082"
)


@dataclass(frozen=True, slots=True)
class _Provider:
    language: str
    name: str
    model: str
    source: str | Path
    """Its input."""

    @property
    def folder(self) -> Path:
        return ROOT / "providers" / self.name


async def go(world: World) -> list[Row]:
    """Of tokenize, without the 200,000 tokens that the first call of an encoding loads."""
    if shutil.which("go") is None:
        return []
    return await _measured(world, _Provider("Go", "tokenize", "default", "hello"), encoding="words")


async def rust(world: World) -> list[Row]:
    """Of imageops."""
    if shutil.which("cargo") is None:
        return []
    # What cargo has compiled for the tests serves here.
    os.environ.setdefault("CARGO_TARGET_DIR", str(ROOT / ".cache" / "cargo"))
    picture = world.folder / "pixel.png"
    await asyncio.to_thread(picture.write_bytes, _PIXEL)
    return await _measured(world, _Provider("Rust", "imageops", "describe", picture))


async def _measured(world: World, provider: _Provider, **extra: str) -> list[Row]:
    async with world.broker() as served:
        await _to_first_event(served, provider, extra)  # builds it where nothing has
        seconds = [await _to_first_event(served, provider, extra) for _ in range(_ROUNDS)]
        await served.load(provider.folder)
        await served.client.model(f"{provider.name}/{provider.model}").transform(provider.source, extra=extra)
        sidecar = Measured(served.sidecar(provider.name).pid).memory()
    language = provider.language
    return [
        at_most(f"warm start of a provider in {language}: load to first event", median(seconds), "s", 0.5),
        figure(f"resident memory of an idle {language} sidecar", sidecar / MEGABYTE, "MB"),
    ]


async def _to_first_event(served: Served, provider: _Provider, extra: dict[str, str]) -> float:
    begin = time.perf_counter()
    await served.load(provider.folder)
    model = served.client.model(f"{provider.name}/{provider.model}")
    async with model.stream(provider.source, extra=extra) as stream:
        await anext(stream)
        seconds = time.perf_counter() - begin
    await served.client.broker.unload(provider.name, drain_timeout=0)
    return seconds
