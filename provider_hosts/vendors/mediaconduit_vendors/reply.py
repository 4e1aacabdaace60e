"""A vendor's answer while it comes: as events, lines, bytes or JSON, under one watch over the time it takes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, Final

import httpx2
from mediaconduit.errors import CallTimeoutError, InternalError, MediaConduitError, Reason, UnavailableError

from mediaconduit_vendors.vendor import Timeouts

LARGEST_EVENT: Final = 64 * 1024 * 1024
"""Bytes of one event: images come as base64 in one."""


class Reply:
    """An answer under way. Made by `Api.open`; valid until that is left, but for `headers` and `status`."""

    def __init__(
        self,
        response: httpx2.Response,
        timeouts: Timeouts,
        failed: Callable[..., MediaConduitError],
        request_id: str,
    ) -> None:
        response.stream = _Watched(response.stream, timeouts)  # type: ignore[arg-type]
        self._response = response
        self._failed = failed
        self.request_id = request_id
        """The vendor's id of the request; empty when it gives none."""

    @property
    def headers(self) -> httpx2.Headers:
        """Its headers."""
        return self._response.headers

    @property
    def media_type(self) -> str:
        """Its media type without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def failure(self, body: Any) -> MediaConduitError:
        """The error that a piece of the answer states."""
        return self._failed(body, request_id=self.request_id)

    async def events(self) -> AsyncGenerator[tuple[str, Any], None]:
        """Server-sent events: name and decoded JSON. Comments, empty ones and "[DONE]" are left out.

        A vendor that answers in plain JSON what it was asked to stream gives one event.
        """
        if self.media_type == "application/json":
            yield "", await self.json()
            return
        self.headers["content-type"] = "text/event-stream"  # some vendors forget to say so
        loads = json.loads
        source: Any = httpx2.EventSource(self._response, max_event_size=LARGEST_EVENT)
        with _translated():
            async with aclosing(source.__aiter__()) as events:
                async for event in events:
                    data = event.data
                    if data and data != "[DONE]":
                        yield event.event, loads(data)

    async def lines(self) -> AsyncGenerator[Any, None]:
        """JSON values, one on each line."""
        rest = b""
        with _translated():
            async with aclosing(self._response.aiter_bytes()) as pieces:
                async for piece in pieces:
                    *whole, rest = (rest + piece).split(b"\n")
                    for line in whole:
                        if line := line.strip():
                            yield json.loads(line)
            if rest := rest.strip():
                yield json.loads(rest)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Bytes as they come."""
        with _translated():
            async with aclosing(self._response.aiter_bytes()) as pieces:
                async for piece in pieces:
                    yield piece

    async def read(self) -> bytes:
        """All bytes."""
        with _translated():
            return await self._response.aread()

    async def json(self) -> Any:
        """All of it as JSON. Raises `InternalError`, VENDOR_PROTOCOL, when it is none."""
        with _translated():
            return json.loads(await self._response.aread())


class _Watched(httpx2.AsyncByteStream):
    """A body whose first byte and whose every further piece must come in time."""

    def __init__(self, stream: httpx2.AsyncByteStream, timeouts: Timeouts) -> None:
        self._stream = stream
        self._timeouts = timeouts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        source = self._stream.__aiter__()
        wait = self._timeouts.first_byte
        while True:
            try:
                async with asyncio.timeout(wait):
                    piece = await anext(source)
            except StopAsyncIteration:
                return
            yield piece
            wait = self._timeouts.idle

    async def aclose(self) -> None:
        await self._stream.aclose()


class _translated:  # noqa: N801 - reads as a verb; contextlib's generators would cost twice as much
    """Foreign errors of reading an answer, as ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        match error:
            case TimeoutError() | httpx2.TimeoutException():
                raise CallTimeoutError(
                    "the vendor stopped in the middle of its answer",
                    reason=Reason.VENDOR_TIMEOUT,
                    hint="try again, or allow more time in settings.timeouts",
                ) from error
            case httpx2.SSEError() | httpx2.DecodingError() | ValueError():
                raise not_understood("its answer is not what it says it is") from error
            case httpx2.TransportError():
                raise lost() from error


def lost() -> UnavailableError:
    """The connection broke, or ended before the answer did."""
    return UnavailableError(
        "the connection to the vendor was lost in the middle of its answer",
        reason=Reason.VENDOR_UNAVAILABLE,
        hint="send the request again",
        retry_after=1.0,
    )


def not_understood(what: str) -> InternalError:
    """The vendor answered what cannot be understood."""
    return InternalError(f"the vendor's answer cannot be understood: {what}", reason=Reason.VENDOR_PROTOCOL)


def decoded(content: bytes) -> Any:
    """A body as JSON, else as text."""
    try:
        return json.loads(content)
    except ValueError:
        return content.decode("utf-8", "replace")
