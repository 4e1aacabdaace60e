"""The variables a sidecar gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mediaconduit_broker.isolation import Cell
from mediaconduit_broker.runners.base import Launch

_PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")


def passed_on(environ: Mapping[str, str]) -> dict[str, str]:
    """Those of the broker's own that every sidecar gets."""
    return {key: environ[key] for key in _PASSED_ON if key in environ}


def told(launch: Launch, cell: Cell) -> dict[str, str]:
    """What a sidecar is told by its variables."""
    return {
        "MEDIACONDUIT_LISTEN": cell.address,
        "MEDIACONDUIT_INSTANCE": launch.instance,
        "MEDIACONDUIT_LIFELINE": "stdin",
        "MEDIACONDUIT_PROVIDER": launch.provider_id,
        "MEDIACONDUIT_PROVIDER_VERSION": launch.version,
        # The environment is compiled already, and the repository is not ours to write into.
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "GRPC_ENABLE_FORK_SUPPORT": "0",
        "GRPC_VERBOSITY": "NONE",
        **launch.variables,
        **cell.variables,
    }
