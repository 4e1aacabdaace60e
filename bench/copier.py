"""A client that sends a file and saves what comes back: ``python -m bench.copier BROKER SOURCE TARGET``.

Says "ready", begins when told so on stdin, says "done".
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from mediaconduit import connect


async def main(address: str, source: str, target: str) -> None:
    """One call."""
    async with connect(address) as client:
        await client.health()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await client.model("hosted/copy").transform(Path(source), to=Path(target))
        if Path(target).stat().st_size != Path(source).stat().st_size:  # noqa: ASYNC240
            raise RuntimeError("the file came back with another size")
    print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
