"""What providers of vendors subclass."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from mediaconduit_provider import Call, Model, Provider
from mediaconduit_provider.outputs import Yielded
from stamina import instrumentation

from mediaconduit_vendors.api import Api
from mediaconduit_vendors.discovery import Discovery
from mediaconduit_vendors.further import FurtherPrices
from mediaconduit_vendors.options import foreign_options, refused
from mediaconduit_vendors.prices import Listing, check_prices, lookup
from mediaconduit_vendors.vendor import Timeouts, Vendor

Operation = Callable[[Api, Call], AsyncGenerator[Yielded, None]]
"""One thing a vendor does for one call: an async generator, as `Provider.transform`."""

SETTINGS: Mapping[str, Any] = {
    "base_url": {"type": "string", "pattern": "^https?://", "description": "Another address of the same API."},
    "timeouts": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: {"type": "number", "exclusiveMinimum": 0, "description": f"Seconds; {default:g} by default."}
            for name, default in (
                ("connect", Timeouts().connect),
                ("headers", Timeouts().headers),
                ("first_byte", Timeouts().first_byte),
                ("idle", Timeouts().idle),
            )
        },
        "description": "How long the vendor may take to connect, to answer at all, to begin its body, to go on.",
    },
    "attempts": {"type": "integer", "minimum": 1, "maximum": 10, "default": 3, "description": "Tries of one request."},
    "poll_interval": {
        "type": "number",
        "exclusiveMinimum": 0,
        "default": 3,
        "description": "Seconds between two questions how a job of the vendor's stands.",
    },
    "models_lifetime": {
        "type": "number",
        "minimum": 1,
        "default": 3600,
        "description": "Seconds after which the vendor is asked for its models again.",
    },
    "prices_url": {
        "type": "string",
        "pattern": "^https?://",
        "description": "A list as OpenRouter has it, for prices nobody else gives: https://openrouter.ai/api/v1/models.",
    },
    "prices_file": {"type": "string", "description": "Prices of your own in place of the bundled ones; a full path."},
}
"""Settings that every vendor's provider has."""


def settings_schema(**more: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of `SETTINGS` and a vendor's own."""
    return {"type": "object", "additionalProperties": False, "properties": {**SETTINGS, **more}}


@dataclass(frozen=True, slots=True)
class VendorModel(Model):
    """A model and what does its work."""

    operations: Mapping[str, Operation] = field(default_factory=dict, compare=False, repr=False)
    """By capability; `capabilities` are its keys."""


class VendorProvider(Provider):
    """A vendor's models, discovered; each call goes to the operation of its model and capability.

    Subclass it, set `vendor`, and write `discover` and `find_model`.
    """

    vendor: ClassVar[Vendor]
    settings_schema = settings_schema()
    max_concurrency = 1000

    def __init__(self) -> None:
        self._api: Api | None = None
        self._discovery: Discovery | None = None
        self._further: FurtherPrices | None = None
        self._starting = False

    # -- for subclasses -----------------------------------------------------------------------------------------------

    async def discover(self, api: Api) -> Sequence[VendorModel]:
        """Asks the vendor for its models; checks the key, by a call that costs nothing, where the list needs none."""
        raise NotImplementedError

    def known_models(self) -> Sequence[VendorModel]:
        """What is known without asking, for as long as the vendor cannot be asked."""
        return ()

    @property
    def prices_file(self) -> Path | None:
        """Prices in place of the bundled ones."""
        return Path(path) if (path := self.settings.get("prices_file")) else None

    def listing(self, model_id: str, vendor: str = "") -> Listing | None:
        """What is known of a model without asking its vendor: prices, limits, features.

        Args:
            model_id: The vendor's.
            vendor: Whose price file; empty = this one's.
        """
        further = self._further.listings if self._further is not None else None
        return lookup(vendor or self.vendor.id, model_id, self.prices_file, further)

    @property
    def base_url(self) -> str:
        """In place of the vendor's; empty = the vendor's."""
        return str(self.settings.get("base_url", ""))

    @property
    def api(self) -> Api:
        """The vendor, under the settings in force."""
        if self._api is None:
            self._api = Api(
                self.vendor,
                key=self._key,
                base_url=self.base_url,
                timeouts=Timeouts(**self.settings.get("timeouts", {})),
                attempts=self.settings.get("attempts", 3),
                poll_interval=self.settings.get("poll_interval", 3.0),
            )
        return self._api

    # -- for the host -------------------------------------------------------------------------------------------------

    async def setup(self) -> None:
        """Gets ready to talk, without talking: settings, which may name another address, come after this."""
        self._starting = True
        _ = self.api
        # Where structlog is installed, retries would be told on stdout.
        instrumentation.set_on_retry_hooks([instrumentation.LoggingOnRetryHook])

    async def configure(self, settings: Mapping[str, Any]) -> None:
        """Takes settings. Calls under way end under the old ones."""
        if path := settings.get("prices_file"):
            await asyncio.to_thread(check_prices, Path(path), "settings.prices_file")
        await super().configure(settings)
        self._further = FurtherPrices(url) if (url := settings.get("prices_url")) else None
        discovery, self._discovery = self._discovery, None
        api, self._api = self._api, None
        if discovery is not None:
            await discovery.aclose()
        if api is not None:
            await api.retire()
        _ = self.api

    async def close(self) -> None:
        """Closes connections and ends background work."""
        if self._discovery is not None:
            await self._discovery.aclose()
        if self._api is not None:
            await self._api.aclose()

    async def list_models(self, *, refresh: bool = False) -> Sequence[Model]:
        """The vendor's models. Without a key: those that are known, unless `refresh` asks the vendor."""
        starting, self._starting = self._starting, False
        if not refresh and (starting or (self.vendor.key_required and not self._key())):
            self.models_provisional = True
            return self.known_models()
        discovery = self._current_discovery()
        models = await discovery.models(refresh=refresh)
        self.models_provisional = not discovery.answered
        return models

    async def transform(self, call: Call) -> AsyncGenerator[Yielded, None]:
        """Runs the operation of the model and capability asked for."""
        assert isinstance(call.model, VendorModel)
        operation = call.model.operations[call.capability]
        for notice in refused(call, foreign_options(call, operation), f"is not taken for {call.capability}"):
            yield notice
        async with aclosing(operation(self.api, call)) as work:
            async for yielded in work:
                yield yielded

    # -- inside -------------------------------------------------------------------------------------------------------

    def _key(self) -> str:
        """The key now: Configure sets it in this process."""
        return os.environ.get(self.vendor.key, "") if self.vendor.key else ""

    def _current_discovery(self) -> Discovery:
        """Of the key and the settings in force: others may have other models, and `configure` comes with them."""
        if self._discovery is None:
            lifetime = self.settings.get("models_lifetime", 3600.0)
            self._discovery = Discovery(self._discovered, self.known_models, lifetime)
        return self._discovery

    async def _discovered(self) -> Sequence[Model]:
        if self._further is not None:
            await self._further.refresh()
        return await self.discover(self.api)
