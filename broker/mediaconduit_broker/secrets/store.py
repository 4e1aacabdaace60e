"""Looks secrets up: the first source that has one counts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from mediaconduit_broker.secrets.redaction import SHORTEST
from mediaconduit_broker.secrets.secret import Secret
from mediaconduit_broker.secrets.sources import SecretSource, SourceError

SECRETS_VARIABLE: Final = "MEDIACONDUIT_SECRETS"
"""In the environment of a sidecar: the names it is to wait for."""


def told(names: Sequence[str]) -> dict[str, str]:
    """The variable that tells a sidecar to wait for these; none where there are none."""
    return {SECRETS_VARIABLE: ",".join(names)} if names else {}


@dataclass(frozen=True, slots=True)
class Found:
    """What a look-up brought."""

    values: Mapping[str, Secret] = field(default_factory=lambda: MappingProxyType({}))
    """Those that are there, by name."""
    missing: tuple[str, ...] = ()
    """Names of those that are nowhere, in the order asked for."""
    warnings: tuple[str, ...] = ()
    """What is odd, one sentence each, without values."""


class SecretStore:
    """All sources, in the order they are asked in. Keeps nothing: a look-up sees what is there at that moment.

    Args:
        sources: The first one that has a secret counts.
        instead: For some names, the name of the secret that is meant; "" = none is given.
    """

    def __init__(self, sources: Sequence[SecretSource] = (), instead: Mapping[str, str] | None = None) -> None:
        self._sources = tuple(sources)
        self._instead = dict(instead or {})

    def renamed(self, instead: Mapping[str, str]) -> SecretStore:
        """The same sources, in which some names mean another secret, or none."""
        return SecretStore(self._sources, instead)

    def gives(self, name: str) -> bool:
        """False for a name that means none, on purpose."""
        return self._instead.get(name) != ""

    async def find(self, names: Iterable[str]) -> Found:
        """Looks all names up at once. Never fails: what cannot be had is missing, and a warning says why."""
        wanted = tuple(dict.fromkeys(names))
        warnings: list[str] = []
        async with asyncio.TaskGroup() as group:
            asked = {name: group.create_task(self._find(name, warnings)) for name in wanted}
        values = {name: secret for name, task in asked.items() if (secret := task.result()) is not None}
        warnings += [
            f"the value of {name} is too short to be kept out of logs"
            for name, secret in values.items()
            if len(secret.reveal()) < SHORTEST
        ]
        missing = tuple(name for name in wanted if name not in values)
        return Found(MappingProxyType(values), missing, tuple(dict.fromkeys(warnings)))

    def advice(self, name: str) -> str:
        """Where a secret of that name can be put: "put it in … or …"."""
        places = [source.advice(self._instead.get(name, name)) for source in self._sources]
        return f"put it {' or '.join(places)}".rstrip(",") if places else "this broker has no source of secrets"

    async def _find(self, name: str, warnings: list[str]) -> Secret | None:
        if not self.gives(name):
            return None
        for source in self._sources:
            try:
                secret = await source.find(self._instead.get(name, name))
            except SourceError as error:
                warnings.append(str(error))
                continue
            if secret is not None:
                return secret
        return None
