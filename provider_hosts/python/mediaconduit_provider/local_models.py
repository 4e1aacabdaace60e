"""`mediaconduit.v1.LocalModels`, for providers that override the methods behind it."""

from __future__ import annotations

import asyncio
from typing import Final

from mediaconduit.errors import InternalError, InvalidRequestError, MediaConduitError
from mediaconduit.tasks import TaskOwner
from mediaconduit.v1 import local_models_pb2, local_models_pb2_grpc

from mediaconduit_provider.host import Host
from mediaconduit_provider.provider import PullProgress
from mediaconduit_provider.rpc import Context, typed, unexpected, write

SERVICE: Final = "mediaconduit.v1.LocalModels"


class _Pull:
    """One fetch and those who watch it. Only how far it is now counts: who reads slowly skips steps."""

    def __init__(self) -> None:
        self.latest: PullProgress | None = None
        self.steps = 0
        self.ended = False
        self.error: MediaConduitError | None = None
        self.watchers = 0
        self.task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    def tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def news(self) -> None:
        await self._news.wait()


class LocalModelsServicer(local_models_pb2_grpc.LocalModelsServicer):
    """Fetches and removes models. Several callers share one fetch; it is cancelled when the last of them has left."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._prefix = f"providers/{host.config.provider_id}/models/"
        self._pulls: dict[str, _Pull] = {}
        self._owner = TaskOwner()

    @typed
    async def PullModel(  # type: ignore[override]  # noqa: N802
        self, request: local_models_pb2.PullModelRequest, context: Context
    ) -> None:
        """Fetches a model; streams how far."""
        self._host.serving("pull_model", SERVICE)
        model_id = self._id_of(request.name)
        pull = self._pulls.get(model_id) or self._begin(model_id)
        pull.watchers += 1
        seen = 0
        try:
            while not pull.ended or seen < pull.steps:
                if seen == pull.steps:
                    await pull.news()
                    continue
                seen = pull.steps
                if pull.latest is not None:
                    await write(context, _to_proto(pull.latest))
        finally:
            pull.watchers -= 1
            if not pull.watchers and pull.task is not None and not pull.ended:
                self._pulls.pop(model_id, None)
                pull.task.cancel()
        if pull.error is not None:
            raise pull.error

    @typed
    async def DeleteModel(  # noqa: N802
        self, request: local_models_pb2.DeleteModelRequest, context: Context
    ) -> local_models_pb2.DeleteModelResponse:
        """Removes a model from disk."""
        provider = self._host.serving("delete_model", SERVICE)
        await provider.delete_model(self._id_of(request.name))
        self._host.catalog.forget()
        return local_models_pb2.DeleteModelResponse()

    async def aclose(self) -> None:
        """Cancels every fetch and waits for it."""
        await self._owner.aclose()

    def _begin(self, model_id: str) -> _Pull:
        pull = self._pulls[model_id] = _Pull()
        pull.task = self._owner.start(self._run(model_id, pull), name=f"pull {model_id}")
        return pull

    async def _run(self, model_id: str, pull: _Pull) -> None:
        try:
            async for progress in self._host.provider.pull_model(model_id):
                pull.latest = progress
                pull.steps += 1
                pull.tell()
            self._host.catalog.forget()
        except MediaConduitError as error:
            pull.error = error
        except asyncio.CancelledError:
            pull.error = InternalError("the fetch was cancelled")
            raise
        except Exception:
            pull.error = unexpected("PullModel")
        finally:
            if self._pulls.get(model_id) is pull:
                del self._pulls[model_id]
            pull.ended = True
            pull.tell()

    def _id_of(self, name: str) -> str:
        if not name.startswith(self._prefix) or name == self._prefix:
            raise InvalidRequestError.at("name", f"must begin with {self._prefix}")
        return name.removeprefix(self._prefix)


def _to_proto(progress: PullProgress) -> local_models_pb2.PullModelResponse:
    return local_models_pb2.PullModelResponse(
        stage=progress.stage,
        completed_bytes=progress.completed_bytes,
        total_bytes=progress.total_bytes,
        message=progress.message,
    )
