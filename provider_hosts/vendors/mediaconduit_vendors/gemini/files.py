"""Media too large for a request: handed to the vendor beforehand, and taken back after the call.

The upload itself, which the description leaves out, is as Google documents it for its Files API: "resumable", in one
piece.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Final

from mediaconduit.errors import MediaConduitError
from mediaconduit.tasks import shielded
from mediaconduit_provider import Input

from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.reply import not_understood

LARGEST_INLINE: Final = 12 * 1024 * 1024
"""Bytes that go within a request; base64 makes them 16 MiB, of the 20 MB that a request may have."""
FORGET_SECONDS: Final = 10.0
"""Time to take files back when a call has ended. The vendor removes what is left after two days."""

_log = logging.getLogger(__name__)


class Files:
    """The files of one call.

    Args:
        api: The vendor.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._names: list[str] = []

    async def upload(self, found: Input, size: int, media_type: str) -> str:
        """Streams an input to the vendor; its URI there, once it can be used."""
        begun = await self._begin(size, media_type)
        headers = {
            "content-length": str(size),
            "x-goog-upload-offset": "0",
            "x-goog-upload-command": "upload, finalize",
        }
        answer, _ = await self._api.json(Request("POST", begun, content=_Body(found), headers=headers))
        file = answer.get("file") or {}
        if not file.get("name") or not file.get("uri"):
            raise not_understood("it names no file")
        self._names.append(file["name"])
        while file.get("state") == "PROCESSING":
            await asyncio.sleep(self._api.poll_interval)
            file, reply = await self._api.json(Request("GET", f"/{file['name']}"))
            if file.get("state") == "FAILED":
                raise reply.failure({"error": file.get("error") or {"message": "the file cannot be used"}})
        return str(file["uri"])

    async def _begin(self, size: int, media_type: str) -> str:
        """Where to send the bytes."""
        root, _, version = self._api.base_url.rpartition("/")
        headers = {
            "x-goog-upload-protocol": "resumable",
            "x-goog-upload-command": "start",
            "x-goog-upload-header-content-length": str(size),
            "x-goog-upload-header-content-type": media_type,
        }
        # The key goes to the vendor's address alone, which this one is not below.
        headers |= self._api.vendor.authorise(self._api.key)
        async with self._api.open(
            Request("POST", f"{root}/upload/{version}/files", json={"file": {}}, headers=headers)
        ) as reply:
            await reply.read()
            if not (begun := reply.headers.get("x-goog-upload-url", "")):
                raise not_understood("it does not say where to upload to")
            return str(begun)

    async def forget(self) -> None:
        """Takes all files back, also when the call was cancelled."""
        if self._names:
            await shielded(self._delete(), timeout=FORGET_SECONDS, name="take files back")

    async def _delete(self) -> None:
        while self._names:
            name = self._names.pop()
            try:
                async with self._api.open(Request("DELETE", f"/{name}")) as reply:
                    await reply.read()
            except MediaConduitError as error:
                _log.warning("a file stays at the vendor, for two days at most: %s", error.message)


class _Body:
    """An input as a body, from its beginning for every try."""

    def __init__(self, found: Input) -> None:
        self._found = found

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._found.chunks()
