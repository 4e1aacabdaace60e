"""What a sidecar answers before its provider is imported: who it is, and the Configure that brings the secrets.

Authors read keys when their module is imported, when their class is made, in ``setup`` or in calls. Nothing of theirs
runs before the keys are there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from mediaconduit.errors import Reason, UnavailableError
from mediaconduit.v1 import provider_pb2, provider_pb2_grpc

from mediaconduit_provider.config import HostConfig
from mediaconduit_provider.credentials import Credentials
from mediaconduit_provider.rpc import CONTRACT_REVISION, Context, typed


class FirstConfigure(provider_pb2_grpc.MediaProviderServicer):
    """Holds the first Configure until the provider that is to take it is there."""

    def __init__(self, config: HostConfig, credentials: Credentials) -> None:
        self._config = config
        self._credentials = credentials
        self._secrets: asyncio.Future[Mapping[str, str]] = asyncio.get_running_loop().create_future()
        self._successor: asyncio.Future[provider_pb2_grpc.MediaProviderServicer]
        self._successor = asyncio.get_running_loop().create_future()

    async def secrets(self) -> Mapping[str, str]:
        """What the first Configure brought; waits for it."""
        return await asyncio.shield(self._secrets)

    def hand_over(self, successor: provider_pb2_grpc.MediaProviderServicer) -> None:
        """Calls that were held go on there."""
        self._successor.set_result(successor)

    @typed
    async def Describe(  # noqa: N802
        self, request: provider_pb2.DescribeRequest, context: Context
    ) -> provider_pb2.DescribeResponse:
        """Who this will be."""
        return provider_pb2.DescribeResponse(
            provider_id=self._config.provider_id,
            version=self._config.version,
            instance_id=self._config.instance_id,
            contract_revision=CONTRACT_REVISION,
        )

    @typed
    async def Configure(  # noqa: N802
        self, request: provider_pb2.ConfigureRequest, context: Context
    ) -> provider_pb2.ConfigureResponse:
        """Lets the import begin; the provider itself answers."""
        self._credentials.check(request.secrets)
        if not self._secrets.done():
            self._secrets.set_result(dict(request.secrets))
        successor: Any = await asyncio.shield(self._successor)
        answer: provider_pb2.ConfigureResponse = await successor.Configure(request, context)
        return answer

    @typed
    async def _loading(self, request: Any, context: Context) -> None:
        raise UnavailableError(
            "the provider waits for its secrets",
            reason=Reason.PROVIDER_NOT_READY,
            hint="its broker brings them with Configure",
            metadata={"state": "LOADING"},
            retry_after=1.0,
        )

    ListModels = GetModel = Transform = TransformLive = WatchGenerations = _loading  # type: ignore[assignment]
