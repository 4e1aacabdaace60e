"""Makes the entries of a lock: fetches, resolves, describes. Runs no code of what it locks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec

from mediaconduit_broker.environments import EnvironmentRequest, Permissions
from mediaconduit_broker.environments.python import plan_python
from mediaconduit_broker.environments.tools import Tools, build_environ
from mediaconduit_broker.manifest import Manifest, Runtime, read_manifest
from mediaconduit_broker.sources import Checkout, Report, Sources, silent
from mediaconduit_broker.trust.gate import Gate, described
from mediaconduit_broker.trust.lockfile import Locked, packages_hash
from mediaconduit_broker.trust.packages import resolve_packages


class Locker:
    """Resolves sources to entries.

    Args:
        sources: Fetches code.
        gate: What may be fetched.
        environ: The process's variables; uv gets those that say where things are.
    """

    def __init__(self, sources: Sources, gate: Gate, environ: Mapping[str, str]) -> None:
        self._sources = sources
        self._gate = gate
        self._tools = Tools(build_environ(environ))

    async def entry(
        self,
        source: str,
        provider_id: str = "",
        *,
        known: Mapping[str, Locked],
        permissions: Permissions | None = None,
        report: Report = silent,
    ) -> Locked:
        """What a source is now.

        Args:
            source: As it is to stand in the lock.
            provider_id: The name it is loaded under; empty = the manifest's.
            known: Entries of before, by id: their packages stay where they still fit.
            permissions: What its environment may do.
            report: Told how far it is.

        Raises:
            MediaConduitError: Why it cannot be told.
        """
        await asyncio.to_thread(self._gate.policy.check, source, base=self._gate.base, by_operator=True)
        checkout = await self._sources.resolve(source, report=report)
        manifest = await asyncio.to_thread(read_manifest, checkout.folder)
        name = provider_id or manifest.id
        found = await asyncio.to_thread(described, checkout, name)
        if manifest.runtime is not Runtime.PYTHON:
            return found
        report("resolving its packages", None)
        before = known[name].packages if name in known else {}
        packages = await self._packages(checkout, manifest, permissions or Permissions(), before)
        return msgspec.structs.replace(found, packages=packages, environment=packages_hash(packages))

    async def _packages(
        self,
        checkout: Checkout,
        manifest: Manifest,
        permissions: Permissions,
        before: Mapping[str, tuple[str, ...]],
    ) -> dict[str, tuple[str, ...]]:
        request = EnvironmentRequest(
            provider_id=manifest.id,
            source=checkout.origin,
            folder=checkout.folder,
            manifest=manifest,
            permissions=permissions,
        )
        plan = await plan_python(request, self._tools)
        return await resolve_packages(plan, self._tools, before)
