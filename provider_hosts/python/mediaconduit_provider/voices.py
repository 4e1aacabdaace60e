"""`mediaconduit.v1.Voices`, for providers that override the methods behind it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final

from mediaconduit.errors import NotFoundError, Reason
from mediaconduit.v1 import voices_pb2, voices_pb2_grpc

from mediaconduit_provider.host import Host
from mediaconduit_provider.rpc import Context, page_of, typed

SERVICE: Final = "mediaconduit.v1.Voices"
_REMEMBERED: Final = 1000
"""Voices that were made, by request_id."""


class VoicesServicer(voices_pb2_grpc.VoicesServicer):
    """Lists, makes and removes voices."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._prefix = f"providers/{host.config.provider_id}/voices/"
        self._models = f"providers/{host.config.provider_id}/models/"
        self._made: OrderedDict[str, voices_pb2.Voice] = OrderedDict()
        self._making = asyncio.Lock()

    @typed
    async def ListVoices(  # noqa: N802
        self, request: voices_pb2.ListVoicesRequest, context: Context
    ) -> voices_pb2.ListVoicesResponse:
        """All voices of the provider."""
        provider = self._host.serving("list_voices", SERVICE)
        voices = [self._named(voice) for voice in await provider.list_voices()]
        page, token = page_of(voices, request.page_size, request.page_token)
        return voices_pb2.ListVoicesResponse(voices=page, next_page_token=token)

    @typed
    async def CreateVoice(  # noqa: N802
        self, request: voices_pb2.CreateVoiceRequest, context: Context
    ) -> voices_pb2.CreateVoiceResponse:
        """Makes a voice; the same request_id gives the same one."""
        provider = self._host.serving("create_voice", SERVICE)
        async with self._making:
            voice = self._made.get(request.request_id) if request.request_id else None
            if voice is None:
                voice = self._named(await provider.create_voice(request))
                if request.request_id:
                    self._made[request.request_id] = voice
                    while len(self._made) > _REMEMBERED:
                        self._made.popitem(last=False)
        return voices_pb2.CreateVoiceResponse(voice=voice)

    @typed
    async def DeleteVoice(  # noqa: N802
        self, request: voices_pb2.DeleteVoiceRequest, context: Context
    ) -> voices_pb2.DeleteVoiceResponse:
        """Removes a voice that was made."""
        provider = self._host.serving("delete_voice", SERVICE)
        if not request.name.startswith(self._prefix):
            raise NotFoundError(
                f"{request.name or 'a voice without a name'} is not a voice of this provider",
                reason=Reason.RESOURCE_NOT_FOUND,
                hint=f"its voices begin with {self._prefix}",
                metadata={"name": request.name},
            )
        await provider.delete_voice(request.name.removeprefix(self._prefix))
        return voices_pb2.DeleteVoiceResponse()

    def _named(self, voice: voices_pb2.Voice) -> voices_pb2.Voice:
        named = voices_pb2.Voice()
        named.CopyFrom(voice)
        if not voice.name.startswith("providers/"):
            named.name = self._prefix + voice.name
        named.models[:] = [m if m.startswith("providers/") else self._models + m for m in voice.models]
        return named
