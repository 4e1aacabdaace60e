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
        self.found = Found()
        """As last looked up."""
        self._schema = ""

    @property
    def variables(self) -> dict[str, str]:
        """What its process must be told at its start: names, no values."""
        return told(self.names)

    async def look_up(self, settings: Mapping[str, Any]) -> None:
        """Finds what the manifest and the settings ask for, as it is now."""
        self.found = await self._store.find((*self.names, *references(settings)))
        self.redactor.add(self.found.values.values())
        for warning in self.found.warnings:
            _log.warning("secrets", provider=self._provider_id, why=warning)

    def given(self) -> dict[str, Secret]:
        """The variables to hand over."""
        return {name: self.found.values[name] for name in self.names if name in self.found.values}

    async def complete(self, settings: Mapping[str, Any], schema: str) -> dict[str, Any]:
        """The settings with what they refer to; their secret values are redacted from here on."""
        if missing := set(references(settings)) - set(self.found.values):
            extra = await self._store.find(missing)
            self.found = Found(
                {**self.found.values, **extra.values},
                tuple(dict.fromkeys((*(n for n in self.found.missing if n not in extra.values), *extra.missing))),
                self.found.warnings,
            )
            self.redactor.add(extra.values.values())
        self._schema = schema
        completed = resolve(settings, self.found.values)
        self.redactor.add(private_values(_parsed(schema), completed))
        return completed

    def sources(self) -> list[tuple[str, str]]:
        """Every secret it needs with where it was found; "" where it was not. Nothing before the first look-up."""
        values = self.found.values
        looked_up = (*values, *self.found.missing)
        return [
            (name, values[name].source if name in values else "")
            for name in dict.fromkeys((*self.names, *looked_up))
            if name in looked_up
        ]

    def warnings(self, settings: Mapping[str, Any]) -> list[str]:
        """What is odd about its secrets and its settings, one sentence each."""
        withheld = lasting_settings(settings, self._schema)[1]
        return [
            *self.found.warnings,
            *(
                f"the setting {name} is secret and is not kept when the broker ends: put it into the secret store and "
                "set secret:NAME, which stands for it"
                for name in withheld
            ),
        ]

    def require(self) -> None:
        """Raises `PreconditionError` when one is missing."""
        if self.found.missing:
            raise self.missing_error()

    def missing_error(self) -> PreconditionError:
        """Says what is missing and where it can be put."""
        missing = self.found.missing
        return PreconditionError(
            f"provider {self._provider_id} needs {' and '.join(missing)}, which no source of secrets has",
            reason=Reason.CREDENTIALS_MISSING,
            metadata={"variable": ",".join(missing)},
            hint=f"{self._store.advice(missing[0])}, then `mediaconduit provider refresh {self._provider_id}`",
        )

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
