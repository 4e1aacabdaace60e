"""Whether a vendor takes a provider's keys."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from mediaconduit.client import Client
from mediaconduit.errors import MediaConduitError, Reason
from mediaconduit.v1 import broker_pb2

_SECONDS: Final = 10.0
"""Time for the vendor to say so."""
_REFUSED: Final = frozenset({Reason.CREDENTIALS_REJECTED, Reason.CREDENTIALS_MISSING})


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """What came of asking."""

    accepted: bool | None
    """None = it could not be found out."""
    why: str = ""
    """For people; empty when they are accepted."""

    def __str__(self) -> str:
        return "accepted" if self.accepted else f"{'refused' if self.accepted is False else 'not checked'}: {self.why}"


async def check_keys(client: Client, found: broker_pb2.GetProviderResponse) -> KeyCheck | None:
    """Has the provider ask its vendor for its models anew, which costs nothing and takes the key.

    None for a provider that asks for no keys or does not run: looking at one does not start it.
    """
    if not found.secrets or found.provider.state != broker_pb2.ProviderState.PROVIDER_STATE_READY:
        return None
    if missing := [secret.name for secret in found.secrets if not secret.present]:
        return KeyCheck(False, f"{', '.join(missing)} is missing")
    try:
        async with asyncio.timeout(_SECONDS):
            await client.provider(found.provider.name.removeprefix("providers/")).models(refresh=True)
    except TimeoutError:
        return KeyCheck(None, f"the vendor did not answer within {_SECONDS:g} s")
    except MediaConduitError as error:
        return KeyCheck(False if error.reason in _REFUSED else None, error.message)
    return KeyCheck(True)
