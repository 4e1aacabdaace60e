"""The work of the benchmark, written by an author who uses the provider host."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from mediaconduit_provider import Call, File, Model, Progress, Provider

TOKEN = "token "


class Hosted(Provider):
    """``paced``: the text of a call is "COUNT SECONDS", events and the pause before each."""

    models = (
        Model("paced", ["text-to-text"]),
        Model("apart", ["text-to-text"]),
        Model("copy", ["audio-to-audio"]),
    )
    max_concurrency = 10_000

    async def transform(self, call: Call) -> AsyncIterator[Any]:
        """Yields tokens, events that cannot be joined (``apart``), or the file it was given (``copy``)."""
        if call.model.id == "copy":
            sent = call.input()
            yield File(await sent.path(), sent.media_type)
            return
        count, pause = call.text.split()
        seconds = float(pause)
        item: Any = TOKEN if call.model.id == "paced" else Progress(stage=TOKEN)
        for _ in range(int(count)):
            if seconds:
                await asyncio.sleep(seconds)
            yield item
