"""Every piece of Python in the package's README runs."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from pathlib import Path
from typing import Any

import mediaconduit
import pytest
from mediaconduit.errors import NotFoundError
from mediaconduit.status import abort
from mediaconduit.v1 import events_pb2 as e

README = Path(mediaconduit.__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def answering(server: Any) -> Any:
    async def transform(request: Any, context: Any) -> None:
        if request.model.endswith("nobody"):
            await abort(context, NotFoundError("no such model"))
        out = server.out(context)
        await out.start()
        await out.text("Moo")
        await out.send(e.OutputStarted(index=1, kind=e.OUTPUT_KIND_DATA, media_type="audio/wav"))
        await out.send(e.OutputDelta(index=1, data=b"RIFF"), e.OutputCompleted(index=1))
        await out.complete()

    async def live(requests: Any, context: Any) -> None:
        first = await anext(requests)
        async for _ in requests:
            pass
        await transform(first.start, context)

    server.transform, server.live = transform, live
    return server


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
async def test_block(block: str, answering: Any, mc: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("morning.wav").write_bytes(b"RIFF")
    code = compile(
        block.replace("localhost:50051", answering.target), "README.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    )
    names = {"mc": mc, "mediaconduit": mediaconduit}
    if code.co_flags & inspect.CO_COROUTINE:
        await eval(code, names)
    else:
        await asyncio.to_thread(eval, code, names)
    assert answering.metadata


def test_there_are_blocks() -> None:
    assert len(BLOCKS) >= 9
