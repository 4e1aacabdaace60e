"""A vendor that streams a chat as told by its last message, "count seconds". ``python -m bench.bare.vendor``.

Written on sockets, so that it costs next to nothing beside those it is to measure.
"""

from __future__ import annotations

import asyncio
import json
import re

CHUNK = (
    b'data: {"id":"chatcmpl-0123456789abcdefghijklmnopqrs","object":"chat.completion.chunk","created":1760000000,'
    b'"model":"paced","service_tier":"default","system_fingerprint":"fp_0123456789","choices":[{"index":0,"delta":'
    b'{"content":"token "},"logprobs":null,"finish_reason":null}],"usage":null}\n\n'
)
"""As long as those of a real vendor."""
END = (
    b'data: {"id":"chatcmpl-0","model":"paced","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    b"data: [DONE]\n\n"
)
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def _framed(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            body = json.loads(await reader.readexactly(int(length[1]))) if length else {}
            count, seconds = body["messages"][-1]["content"].split()
            await _answer(writer, int(count), float(seconds))
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _answer(writer: asyncio.StreamWriter, count: int, seconds: float) -> None:
    writer.write(_HEAD)
    piece = _framed(CHUNK)
    for _ in range(count):
        if seconds:
            await asyncio.sleep(seconds)
        writer.write(piece)
        await writer.drain()
    writer.write(_framed(END) + b"0\r\n\r\n")
    await writer.drain()


async def main() -> None:
    """Serves until it is ended."""
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, backlog=1024)
    print("ready", server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
