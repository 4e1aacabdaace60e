"""What is wanted of a provider, put together from its source, its manifest, the configuration and the lock."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from mediaconduit_broker.changes import Report
from mediaconduit_broker.config import Config, IsolationConfig, ProviderConfig
from mediaconduit_broker.environments import BuildStep, Permissions
from mediaconduit_broker.isolation import Bounds, Policy
from mediaconduit_broker.manifest import Manifest, read_manifest
from mediaconduit_broker.secrets import SecretStore
from mediaconduit_broker.sources import Checkout, Sources
from mediaconduit_broker.supervision import ProviderSpec
from mediaconduit_broker.trust import Admission, Gate, pinned_lines


class Specs:
    """Makes specs.

    Args:
        config: What the operator wants.
        gate: Says which code may run.
        environ: The broker's own variables, of which providers get those their manifests name.
        sources: Finds and fetches code.
        secrets: Where providers' keys come from.
    """

    def __init__(
        self, config: Config, gate: Gate, environ: Mapping[str, str], sources: Sources, secrets: SecretStore
    ) -> None:
        self._config = config
        self._gate = gate
        self._environ = environ
        self._sources = sources
        self._secrets = secrets

    def start_timeout(self, provider_id: str) -> float:
        """Seconds that a provider has to become ready, when its manifest says nothing."""
        wanted = self._config.providers.get(provider_id)
        return (wanted and wanted.start_timeout) or self._config.limits.start_timeout

    async def make(
        self,
        admission: Admission,
        provider_id: str,
        settings: Mapping[str, Any] | None,
        *,
        pinned: str = "",
        allow_build: bool = False,
        report: Report = lambda step: None,
    ) -> ProviderSpec:
        """What is to run: its code fetched, its manifest read, compared with the lock.

        Args:
            admission: What the gate said to its source.
            provider_id: Its name; empty = the manifest's.
            settings: In force before its first call; None = those of the configuration.
            pinned: The version wanted, as `Checkout.resolved`; empty = what the source means now.
            allow_build: Its build commands may run.
            report: Told of the steps.

        Raises:
            MediaConduitError: It cannot be fetched or read, or is not what the lock says.
        """
        checkout = await self._fetch(admission, pinned, report)
        manifest = await asyncio.to_thread(read_manifest, checkout.folder)
        name = provider_id or manifest.id
        locked = await asyncio.to_thread(self._gate.confirm, admission, checkout, name)
        wanted = self._config.providers.get(name, ProviderConfig(source=admission.source))
        limits = self._config.limits
        return ProviderSpec(
            provider_id=name,
            checkout=checkout,
            manifest=manifest,
            settings=dict(settings if settings is not None else wanted.settings),
            start_timeout=wanted.start_timeout or manifest.start_timeout or limits.start_timeout,
            drain_timeout=limits.drain_timeout,
            idle_timeout=limits.idle_timeout if wanted.idle_timeout is None else wanted.idle_timeout,
            queue_length=limits.queue_length,
            priority=wanted.priority,
            pinned=wanted.pinned,
            permissions=Permissions(allow_build or wanted.allow_build, tuple(wanted.allow_indexes)),
            frozen=locked is not None,
            packages=pinned_lines(locked.packages) if locked is not None and locked.packages else None,
            policy=_policy(self._config.isolation, wanted, manifest),
            secrets=self._secrets.renamed(wanted.secrets),
            variables={
                key: self._environ[key]
                for key in manifest.environment
                if key in self._environ and key not in manifest.secrets
            },
        )

    async def _fetch(self, admission: Admission, pinned: str, report: Report) -> Checkout:
        pinned = admission.pinned or pinned
        if admission.pinned and admission.by_tag and not await asyncio.to_thread(self._sources.has, pinned):
            # It must be fetched anyway: so ask for the tag, to see whether it was moved.
            pinned = ""
        return await self._sources.resolve(
            admission.source,
            pinned=pinned,
            report=lambda message, fraction: report(BuildStep(message, fraction or 0.0)),
        )


def _policy(isolation: IsolationConfig, wanted: ProviderConfig, manifest: Manifest) -> Policy:
    """How far to keep a provider apart: its own table, else what holds for all."""
    common, own = msgspec.structs.asdict(isolation.limits), msgspec.structs.asdict(wanted.limits)
    bounds = {name: value if own[name] is None else own[name] for name, value in common.items()}
    return Policy(
        sandbox=wanted.sandbox or isolation.sandbox,
        network=manifest.network,
        readable=tuple(Path(path).expanduser().absolute() for path in wanted.readable),
        bounds=Bounds(**{name: value for name, value in bounds.items() if value is not None}),
    )
