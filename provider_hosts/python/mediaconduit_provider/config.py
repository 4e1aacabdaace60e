"""How a host runs. Filled in by ``__main__`` from the environment, by tests directly."""

from __future__ import annotations

from dataclasses import dataclass

from mediaconduit.channels import MutualTls


@dataclass(frozen=True, slots=True)
class HostConfig:
    """Settings of the host itself, not of the provider."""

    provider_id: str
    """The id it is to have ("cowsay")."""
    listen: str
    """"unix:/path" or "host:port"."""
    tls: MutualTls | None = None
    """Who may call, and proof of who answers; None = whoever can connect."""
    version: str = ""
    """Version of the provider."""
    instance_id: str = ""
    """The nonce that Describe echoes."""
    secrets: tuple[str, ...] = ()
    """Names of the variables that the first Configure brings. With some, the provider is imported after it."""
    lifeline: bool = False
    """Exit at EOF of stdin."""
    grace: float = 10.0
    """Seconds that running calls get when draining."""
    close_grace: float = 2.0
    """Seconds for everything together once the lifeline closed."""
    heartbeat: float = 15.0
    """Seconds of silence after which a sign of life is sent."""
    stuck_after: float = 2.0
    """Seconds after its cancel at which a call that still runs counts as stuck."""
