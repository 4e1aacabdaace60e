"""The secrets of one provider: looked up at every start, kept out of all that is written about it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from mediaconduit.errors import MediaConduitError, PreconditionError, Reason

from mediaconduit_broker.secrets import Found, Redactor, Secret, SecretStore, told
from mediaconduit_broker.secrets.settings import private_values, references, resolve, withhold

_log = structlog.get_logger(__name__)


class Credentials:
    """What a provider was given at its last start.

    Args:
        provider_id: Whose they are.
        store: Where they come from.
        names: Those its manifest asks for.
        redactor: Told every value, before it leaves the broker.
    """

    def __init__(self, provider_id: str, store: SecretStore, names: Iterable[str], redactor: Redactor) -> None:
        self._provider_id = provider_id
        self._store = store
        self.names = tuple(names)
        """The variables its code expects."""
        self.redactor = redactor
        self._found: Found | None = None
        """As last looked up; None before."""
        self._schema = ""

    @property
    def variables(self) -> dict[str, str]:
        """What its process must be told at its start: names, no values."""
        return told(self.names)

    async def look_up(self, settings: Mapping[str, Any]) -> None:
        """Finds what the manifest and the settings ask for, as it is now."""
        self._found = await self._store.find((*self.names, *references(settings)))
        self.redactor.add(self._values.values())
        for warning in self._found.warnings:
            _log.warning("secrets", provider=self._provider_id, why=warning)

    def given(self) -> dict[str, Secret]:
        """The variables to hand over."""
        return {name: self._values[name] for name in self.names if name in self._values}

    async def complete(self, settings: Mapping[str, Any], schema: str) -> dict[str, Any]:
        """The settings with what they refer to; their secret values are redacted from here on."""
        if new := set(references(settings)) - set(self._values):
            more = await self._store.find(new)
            warnings = self._found.warnings if self._found is not None else ()
            self._found = Found({**self._values, **more.values}, warnings=(*warnings, *more.warnings))
            self.redactor.add(more.values.values())
        self._schema = schema
        completed = resolve(settings, self._values)
        self.redactor.add(private_values(_parsed(schema), completed))
        return completed

    def sources(self, settings: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Every secret it needs with where it was found, "" where it was not. Nothing before the first look-up."""
        if self._found is None:
            return []
        wanted = dict.fromkeys((*self.names, *references(settings)))
        return [(name, self._values[name].source if name in self._values else "") for name in wanted]

    def warnings(self, settings: Mapping[str, Any]) -> list[str]:
        """What is odd about its secrets and its settings, one sentence each."""
        withheld = lasting_settings(settings, self._schema)[1]
        return [
            *(self._found.warnings if self._found is not None else ()),
            *(
                f"the setting {name} is secret and is not kept when the broker ends: put it into the secret store and "
                "set secret:NAME, which stands for it"
                for name in withheld
            ),
        ]

    def missing(self, settings: Mapping[str, Any]) -> PreconditionError | None:
        """What it needs and was not given, and where that can be put; None when it has all."""
        missing = [name for name, source in self.sources(settings) if not source]
        if not missing:
            return None
        return PreconditionError(
            f"provider {self._provider_id} needs {' and '.join(missing)}, which no source of secrets has",
            reason=Reason.CREDENTIALS_MISSING,
            metadata={"variable": ",".join(missing)},
            hint=f"{self._store.advice(missing[0])}, then `mediaconduit provider refresh {self._provider_id}`",
        )

    @property
    def _values(self) -> Mapping[str, Secret]:
        return self._found.values if self._found is not None else {}

    def clean(self, error: MediaConduitError) -> MediaConduitError:
        """The error without any value."""
        return self.redactor.error(error)


def lasting_settings(settings: Mapping[str, Any], schema: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The settings as they may be written to disk, and the names of those that are left out."""
    return withhold(_parsed(schema), settings)


def _parsed(schema: str) -> Mapping[str, Any]:
    try:
        parsed = json.loads(schema) if schema else {}
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
