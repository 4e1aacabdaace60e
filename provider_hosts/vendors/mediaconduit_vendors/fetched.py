"""Outputs that a vendor leaves at an address."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from mediaconduit_provider import Asset, Call, MediaInfo, Output, Part
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.reply import lost

_REDIRECTS: Final = 3


async def fetched(
    api: Api, call: Call, url: str, media_type: str, info: MediaInfo | None = None
) -> AsyncGenerator[Yielded, None]:
    """The output as it is fetched; its address where the caller wants references. The key does not go there."""
    if call.options.outputs_by_reference:
        yield Part(asset=Asset(uri=url, media_type=media_type, info=info))
        return
    output = Output(media_type)
    request = Request("GET", url, redirects=_REDIRECTS, remaining=call.remaining())
    async with api.open(request) as reply, aclosing(reply.chunks()) as chunks:
        async for chunk in chunks:
            yield output.data(chunk)
    if output.index < 0:
        raise lost()
    yield output.done(info)
