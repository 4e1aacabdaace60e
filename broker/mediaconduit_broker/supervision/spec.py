"""What a supervisor keeps alive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mediaconduit_broker.environments import Environment, EnvironmentRequest, Permissions
from mediaconduit_broker.isolation import Policy
from mediaconduit_broker.manifest import Manifest
from mediaconduit_broker.runners import Launch
from mediaconduit_broker.secrets import Redactor, SecretStore
from mediaconduit_broker.sources import Checkout
from mediaconduit_broker.supervision.credentials import Credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """A provider as it is wanted: its code, its settings, its bounds."""

    provider_id: str
    checkout: Checkout
    manifest: Manifest
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    secrets: SecretStore = field(default_factory=SecretStore)
    """Where its keys come from."""
    start_timeout: float = 60.0
    drain_timeout: float = 10.0
    idle_timeout: float = 0.0
    """Seconds without a call after which its sidecar stops; 0 = never."""
    queue_length: int = 100
    """Calls that may wait for a place."""
    priority: int = 0
    """The lower, the sooner it stops when memory is short."""
    pinned: bool = False
    """Never stopped for being idle or for its memory."""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Plain variables the manifest asks for."""
    policy: Policy = field(default_factory=Policy)
    """How far to keep it apart."""
    permissions: Permissions = field(default_factory=Permissions)
    """What its build may do."""
    frozen: bool = False
    """Held to the lock: its code and packages are those and no others."""
    packages: tuple[str, ...] | None = None
    """What its environment holds, as requirements with hashes; None = what its repository asks for."""

    def environment(self) -> EnvironmentRequest:
        """What its process needs to run."""
        return EnvironmentRequest(
            provider_id=self.provider_id,
            source=self.checkout.origin,
            folder=self.checkout.folder,
            manifest=self.manifest,
            permissions=self.permissions,
            packages=self.packages,
        )

    def launch(self, environment: Environment, credentials: Credentials, nonce: str) -> Launch:
        """What to start."""
        return Launch(
            provider_id=self.provider_id,
            version=self.manifest.version,
            command=environment.command,
            folder=environment.working_folder,
            instance=nonce,
            variables={**self.variables, **credentials.variables},
            policy=self.policy,
        )

    def credentials(self, redactor: Redactor) -> Credentials:
        """Its keys, to be looked up at a start."""
        names = filter(self.secrets.gives, self.manifest.secrets)
        return Credentials(self.provider_id, self.secrets, names, redactor)
