"""Which providers come back with the broker, and as what."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from mediaconduit_broker.config import Config
from mediaconduit_broker.sources import catalog
from mediaconduit_broker.state import KnownProvider, StateFolder
from mediaconduit_broker.supervision import ProviderSpec, Supervisor, lasting_settings

_log = structlog.get_logger(__name__)


class Memory:
    """What the state folder and the configuration say of providers.

    Args:
        config: Names some.
        state: Remembers those that were added.
    """

    def __init__(self, config: Config, state: StateFolder) -> None:
        self._config = config
        self._state = state

    def known(self) -> list[KnownProvider]:
        """Those remembered."""
        return self._state.known_providers()

    def forget(self, provider_id: str) -> None:
        """It does not come back."""
        self._state.forget(provider_id)

    def wanted(self) -> list[KnownProvider]:
        """All that a broker that starts is to load."""
        wanted = {known.provider_id: known for known in self.known()}
        for provider_id, provider in self._config.providers.items():
            before = wanted.get(provider_id)
            pinned = before.pinned if before and before.source == provider.source else ""
            wanted[provider_id] = KnownProvider(provider_id, provider.source, provider.settings, pinned)
        for known in wanted.values():
            if known.withheld:
                _tell_withheld("secret settings must be set again", known.provider_id, known.withheld)
        return list(wanted.values())

    def keep(self, supervisor: Supervisor) -> None:
        """Remembers a provider as it is now. Secret settings are not written, and said not to be."""
        spec = supervisor.spec
        settings, withheld = lasting_settings(spec.settings, supervisor.settings_schema)
        if withheld and spec.provider_id not in self._config.providers:
            _tell_withheld("secret settings are kept until the broker stops", spec.provider_id, withheld)
        # Its very version, so that a restart needs no network and changes nothing: only a load or a refresh does.
        self._state.remember(
            KnownProvider(
                spec.provider_id,
                _lasting(spec),
                settings,
                spec.checkout.resolved,
                withheld,
                allow_build=self._granted(spec),
                frozen=spec.frozen and not self._config.trust.frozen,
            )
        )

    def _granted(self, spec: ProviderSpec) -> bool:
        """Whether it may build because a load said so; what the configuration says is not remembered."""
        configured = self._config.providers.get(spec.provider_id)
        return spec.permissions.build and not (configured is not None and configured.allow_build)


def _tell_withheld(what: str, provider_id: str, names: Sequence[str]) -> None:
    hint = "put them into the secret store and set e.g. secret:NAME, which stands for them"
    _log.warning(what, provider=provider_id, settings=", ".join(names), hint=hint)


def _lasting(spec: ProviderSpec) -> str:
    """The source in a form that means the same wherever the broker is started."""
    here = spec.checkout.resolved.startswith("file:") and spec.checkout.source not in catalog()
    return str(spec.checkout.folder) if here else spec.checkout.source
