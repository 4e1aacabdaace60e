"""Real vendors, for whoever has a key: ``make live VENDOR=anthropic``. Never in CI.

Without VENDOR all are asked whose key is there: the vendor's own variable (ANTHROPIC_API_KEY).
MEDIACONDUIT_LIVE_MODEL names a model to talk to in place of the cheapest; MEDIACONDUIT_LIVE_SETTINGS holds settings as
JSON, for vendors that need some.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from mediaconduit_provider.testing import Served, serve

from tests.support.vendors import probes
from tests.support.vendors.providers import PROVIDERS, provider_class, variables

NAMED = [name for name in os.environ.get("VENDOR", "").split(",") if name]
VENDORS = NAMED or sorted(name for name, needed in variables().items() if needed)
PROBES = (probes.discovers, probes.talks, probes.stops, probes.embeds, probes.refuses)


@pytest.fixture(params=VENDORS)
async def served(request: pytest.FixtureRequest) -> AsyncIterator[Served]:
    vendor: str = request.param
    if not (PROVIDERS / vendor).is_dir():
        pytest.fail(f"there is no providers/{vendor}; there are: {', '.join(sorted(variables()))}")
    if missing := [name for name in variables()[vendor] if not os.environ.get(name)]:
        pytest.skip(f"{vendor}: set {' and '.join(missing)}")
    settings = json.loads(os.environ.get("MEDIACONDUIT_LIVE_SETTINGS", "{}"))
    async with serve(provider_class(vendor)(), provider_id=vendor, settings=settings) as running:
        yield running


@pytest.mark.parametrize("probe", PROBES)
async def test_vendor(served: Served, probe: Callable[[Served], Awaitable[None]]) -> None:
    await probe(served)
