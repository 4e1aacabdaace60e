"""Prices from a public list in OpenRouter's form, for models that the bundled files lack."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import httpx2

from mediaconduit_vendors.prices import Listing, from_openrouter

LARGEST: Final = 32 * 1024 * 1024
"""Bytes of a list; OpenRouter's has less than one million."""
_TIMEOUT: Final = httpx2.Timeout(10.0)

_log = logging.getLogger(__name__)


class FurtherPrices:
    """The listings of one list, by its ids. Asked without any key: it is nobody's vendor.

    Args:
        url: Where it is ("https://openrouter.ai/api/v1/models").
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self.listings: Mapping[str, Listing] = {}
        """As last read; empty before."""

    async def refresh(self) -> None:
        """Reads it again. What cannot be read is said in the log, and what was known stays."""
        host = urlsplit(self._url).hostname or ""
        try:
            document = await self._read()
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            # What it says of itself may hold the address, and that a token.
            _log.warning("the list of prices at %s cannot be read: %s", host, type(error).__name__)
            return
        found = from_openrouter(document, source=f"{host}, {datetime.now(UTC):%Y-%m-%d}")
        if not found:
            _log.warning("the list of prices at %s has no model", host)
            return
        self.listings = found

    async def _read(self) -> object:
        async with (
            httpx2.AsyncClient(timeout=_TIMEOUT, verify=httpx2.create_ssl_context()) as client,
            client.stream("GET", self._url, headers={"accept": "application/json"}) as response,
        ):
            response.raise_for_status()
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > LARGEST:
                    raise ValueError("too large")
        return json.loads(bytes(body))
