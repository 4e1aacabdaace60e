"""``python -m mediaconduit_provider module:Class``: serves a provider. The only module that reads the environment.

=============================  =====================================================================
MEDIACONDUIT_LISTEN            "unix:/path" or "host:port"; default 127.0.0.1:50052
MEDIACONDUIT_PROVIDER          the id it is to have; default: the class name in lower case
MEDIACONDUIT_PROVIDER_VERSION  version to report
MEDIACONDUIT_INSTANCE          nonce that Describe echoes
MEDIACONDUIT_LIFELINE          "stdin": exit at EOF of stdin
MEDIACONDUIT_TLS_CERTIFICATE   file with its certificate, PEM; with the next two: mutual TLS
MEDIACONDUIT_TLS_KEY           file with the private key of that
MEDIACONDUIT_TLS_PEER          file with the certificate of the only one that may call
MEDIACONDUIT_SECRETS           names, separated by commas, of the variables that the first Configure brings: the
                               provider is imported after it, and calls fail while one of them is missing
=============================  =====================================================================

Exits with 0 when drained, 64 for a wrong command line or environment, 70 when the provider could not be imported,
constructed or set up.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mediaconduit.channels import MutualTls
from mediaconduit.privacy import hide_memory

from mediaconduit_provider import bootstrap, logs, temporary
from mediaconduit_provider.config import HostConfig
from mediaconduit_provider.credentials import names_of
from mediaconduit_provider.processes import lead_group

_log = logging.getLogger("mediaconduit_provider")


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs a sidecar; gives the exit code when it cannot even start."""
    lifeline = environment.get("MEDIACONDUIT_LIFELINE", "")
    logs.configure(prefixed=bool(lifeline))
    if len(arguments) != 1 or ":" not in arguments[0]:
        _log.error("usage: python -m mediaconduit_provider module:Class")
        return bootstrap.EXIT_USAGE
    if lifeline not in ("", "stdin"):
        _log.error("MEDIACONDUIT_LIFELINE may only be 'stdin'")
        return bootstrap.EXIT_USAGE
    # Secrets come by Configure and stay in memory, which other sidecars of this user must not read.
    hide_memory()
    if lifeline:
        lead_group()
    os.environ["TMPDIR"] = temporary.use_own()
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        secrets = names_of(environment.get("MEDIACONDUIT_SECRETS", ""))
    except ValueError as error:
        _log.error("MEDIACONDUIT_SECRETS: %s", error)
        return bootstrap.EXIT_USAGE
    try:
        tls = _tls(environment)
    except (KeyError, OSError) as error:
        _log.error("MEDIACONDUIT_TLS_CERTIFICATE, _KEY and _PEER must all name files that can be read: %s", error)
        return bootstrap.EXIT_USAGE
    return _run(arguments[0], replace(_config(environment, secrets), tls=tls))


def _tls(environment: Mapping[str, str]) -> MutualTls | None:
    names = [f"MEDIACONDUIT_TLS_{part}" for part in ("CERTIFICATE", "KEY", "PEER")]
    if not any(environment.get(name) for name in names):
        return None
    certificate, key, peer = (Path(environment[name]).read_bytes() for name in names)
    return MutualTls(certificate, key, peer)


def _run(entry: str, config: HostConfig) -> int:
    with asyncio.Runner() as runner:
        sidecar = None
        if config.secrets:
            sidecar = runner.run(_sidecar(config))
            runner.run(sidecar.listen())
        try:
            provider = bootstrap.load(entry)
        except bootstrap.EntryError as error:
            _log.error("%s", error, exc_info=error.__cause__)
            bootstrap.leave(bootstrap.EXIT_PROVIDER)
        provider_id = config.provider_id or provider.id or type(provider).__name__.lower()
        runner.run((sidecar or runner.run(_sidecar(config))).serve(provider, provider_id))


async def _sidecar(config: HostConfig) -> bootstrap.Sidecar:
    return bootstrap.Sidecar(config)


def _config(environment: Mapping[str, str], secrets: tuple[str, ...]) -> HostConfig:
    return HostConfig(
        provider_id=environment.get("MEDIACONDUIT_PROVIDER", ""),
        listen=environment.get("MEDIACONDUIT_LISTEN") or "127.0.0.1:50052",
        version=environment.get("MEDIACONDUIT_PROVIDER_VERSION", ""),
        instance_id=environment.get("MEDIACONDUIT_INSTANCE", ""),
        secrets=secrets,
        lifeline=bool(environment.get("MEDIACONDUIT_LIFELINE")),
    )


if __name__ == "__main__":
    bootstrap.leave(main(sys.argv[1:], os.environ))
