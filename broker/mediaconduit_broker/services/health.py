"""Health of the broker (``""``, ``mediaconduit.v1.MediaProvider``) and of each provider (``providers/{p}``)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from grpc_health.v1 import health
from grpc_health.v1.health_pb2 import HealthCheckResponse
from mediaconduit import tasks

from mediaconduit_broker.changes import Change
from mediaconduit_broker.registry import Registry
from mediaconduit_broker.supervision import State


@contextlib.asynccontextmanager
async def mirror_health(registry: Registry, service: health.aio.HealthServicer) -> AsyncIterator[None]:
    """Keeps the health service at what the registry says, as long as the block runs."""
    for name in ("", "mediaconduit.v1.MediaProvider", "mediaconduit.v1.Broker"):
        await service.set(name, HealthCheckResponse.SERVING)
    owner = tasks.TaskOwner()
    owner.start(_mirror(registry, service), name="health of providers")
    try:
        yield
    finally:
        await owner.aclose()


async def _mirror(registry: Registry, service: health.aio.HealthServicer) -> None:
    with registry.changes() as changes:
        for provider_id in registry.restoring:
            await service.set(f"providers/{provider_id}", HealthCheckResponse.NOT_SERVING)
        for supervisor in registry.all():
            changes.put(Change(supervisor, None))
        while True:
            change = await changes.get()
            supervisor = change.supervisor
            serving = supervisor.state is State.READY and not change.removed
            status = HealthCheckResponse.SERVING if serving else HealthCheckResponse.NOT_SERVING
            await service.set(f"providers/{supervisor.spec.provider_id}", status)
