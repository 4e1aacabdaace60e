"""The broker as a whole: assembled here, and nowhere else."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import grpc
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from mediaconduit.channels import SERVER_OPTIONS
from mediaconduit.errors import PreconditionError, Reason
from mediaconduit.v1 import broker_pb2, local_models_pb2, provider_pb2, voices_pb2

from mediaconduit_broker.config import Config
from mediaconduit_broker.environments import EnvironmentBuilder
from mediaconduit_broker.isolation import Isolator, Users, shareable
from mediaconduit_broker.registry import Registry
from mediaconduit_broker.relay import Relay
from mediaconduit_broker.runners import Runner, opening
from mediaconduit_broker.secrets import CommandSource, EnvironmentSource, FolderSource, SecretSource, SecretStore
from mediaconduit_broker.services.broker import BrokerService
from mediaconduit_broker.services.edge import service_handlers
from mediaconduit_broker.services.health import mirror_health
from mediaconduit_broker.services.media_provider import MediaProviderService
from mediaconduit_broker.services.voices import LocalModelsService, VoicesService
from mediaconduit_broker.sources import Sources
from mediaconduit_broker.state import StateFolder
from mediaconduit_broker.trust import gate_of
from mediaconduit_broker.turns import Turns

SERVICES: Final = (
    "mediaconduit.v1.MediaProvider",
    "mediaconduit.v1.Broker",
    "mediaconduit.v1.Voices",
    "mediaconduit.v1.LocalModels",
    health.SERVICE_NAME,
    reflection.SERVICE_NAME,
)


class Broker:
    """A serving broker.

    Args:
        address: "host:port" it serves on.
        registry: Its providers.
    """

    def __init__(self, address: str, registry: Registry) -> None:
        self.address = address
        self.registry = registry


@contextlib.asynccontextmanager
async def running(config: Config, environ: Mapping[str, str], *, base: Path) -> AsyncIterator[Broker]:
    """Serves until the block is left; then stops everything, sidecars included.

    Args:
        config: What the operator wants.
        environ: The process's variables.
        base: Folder that relative sources start from.

    Raises:
        PreconditionError: The port or the state folder is in use.
    """
    state = StateFolder.at(config.state_dir, environ)
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(state.lock())
        runner = await stack.enter_async_context(_runner(config, state, environ))
        builder = EnvironmentBuilder(
            state.environments,
            environ,
            timeout=config.limits.build_timeout,
            cap=config.limits.environments_bytes,
            shared=config.isolation.users != "off" and shareable(state.environments),
            turns=Turns(config.limits.builds_at_once),
        )
        await builder.clean_up()
        secrets = secrets_of(config, environ, base)
        sources = sources_of(config, state, environ, base, secrets)
        stack.push_async_callback(sources.aclose)
        gate = gate_of(config, state, base=base)
        registry = Registry(config, state, gate, builder, runner, environ, sources, secrets)
        stack.push_async_callback(registry.aclose)
        stack.callback(runner.leaving)
        server = grpc.aio.server(options=SERVER_OPTIONS)
        health_service = health.aio.HealthServicer()
        relay = Relay(registry, config.limits)
        stack.push_async_callback(relay.aclose)
        admin = BrokerService(registry)
        _add_services(server, registry, relay, admin, health_service)
        address = _listen(server, config.listen)
        # Before the first call: one of a provider that comes back waits for it.
        registry.start()
        await server.start()
        stack.push_async_callback(server.stop, config.limits.drain_timeout)
        stack.callback(admin.stop)
        async with mirror_health(registry, health_service):
            yield Broker(address, registry)
            await health_service.enter_graceful_shutdown()


def secrets_of(config: Config, environ: Mapping[str, str], base: Path) -> SecretStore:
    """Where keys come from."""
    wanted = config.secrets
    sources: dict[str, SecretSource] = {"environment": EnvironmentSource(environ)}
    if wanted.folder is not None:
        sources["folder"] = FolderSource(base / Path(wanted.folder).expanduser())
    if wanted.command:
        sources["command"] = CommandSource(wanted.command, environ, wanted.command_timeout)
    return SecretStore([sources[name] for name in wanted.order if name in sources])


def sources_of(
    config: Config, state: StateFolder, environ: Mapping[str, str], base: Path, secrets: SecretStore
) -> Sources:
    """What fetches code."""

    async def token(url: str) -> str | None:
        wanted = config.sources.tokens
        prefix = max((known for known in wanted if url.startswith(known)), key=len, default="")
        if not prefix:
            return None
        found = (await secrets.find([wanted[prefix]])).values.get(wanted[prefix])
        return found.reveal() if found is not None else None

    return Sources(
        state.sources,
        environ,
        base=base,
        rewrite=config.sources.rewrite,
        token=token,
        timeout=config.limits.fetch_timeout,
    )


def _runner(
    config: Config, state: StateFolder, environ: Mapping[str, str]
) -> contextlib.AbstractAsyncContextManager[Runner]:
    wanted = config.isolation
    users = Users(state.users, wanted.first_uid, wanted.last_uid)

    certificates = [Path(environ[name]) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if environ.get(name)]

    def isolate(at: Sequence[Path]) -> Isolator:
        return Isolator(
            users=users, homes=state.homes, mode=wanted.users, readable=certificates, transport=wanted.transport, at=at
        )

    if not config.detached:
        return opening.attached(environ, isolate, state.root)
    providers = {*config.providers, *(known.provider_id for known in state.known_providers())}
    return opening.detached(environ, isolate, state.root, lease=config.lease_seconds, wanted=providers)


def _add_services(
    server: grpc.aio.Server,
    registry: Registry,
    relay: Relay,
    admin: BrokerService,
    health_service: health.aio.HealthServicer,
) -> None:
    services = (
        (provider_pb2.DESCRIPTOR, "MediaProvider", MediaProviderService(registry, relay)),
        (broker_pb2.DESCRIPTOR, "Broker", admin),
        (voices_pb2.DESCRIPTOR, "Voices", VoicesService(registry)),
        (local_models_pb2.DESCRIPTOR, "LocalModels", LocalModelsService(registry)),
    )
    server.add_generic_rpc_handlers(
        tuple(service_handlers(file.services_by_name[name], service) for file, name, service in services)
    )
    health_pb2_grpc.add_HealthServicer_to_server(health_service, server)
    reflection.enable_server_reflection(SERVICES, server)


def _listen(server: grpc.aio.Server, listen: str) -> str:
    host = listen.rpartition(":")[0]
    try:
        port = server.add_insecure_port(listen)
    except RuntimeError:
        port = 0
    if port == 0:
        raise PreconditionError(
            f"{listen} is in use or not an address of this machine",
            reason=Reason.NOT_ALLOWED,
            hint="is a broker running already? Stop it, or give this one another --listen",
        )
    return f"{host}:{port}"
