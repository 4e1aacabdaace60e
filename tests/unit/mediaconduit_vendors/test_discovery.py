import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from mediaconduit.errors import UnavailableError
from mediaconduit_provider import Model
from mediaconduit_vendors.discovery import Discovery

KNOWN = (Model("known", capabilities=("text-to-text",)),)


class Vendor:
    """Gives a list when told to, or fails."""

    def __init__(self) -> None:
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.fails = False

    async def ask(self) -> Sequence[Model]:
        self.asked += 1
        await self.gate.wait()
        if self.fails:
            raise UnavailableError("gone")
        return [Model(f"list-{self.asked}", capabilities=("text-to-text",))]


@pytest.fixture
async def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
async def discovery(vendor: Vendor) -> AsyncIterator[Discovery]:
    discovery = Discovery(vendor.ask, lambda: KNOWN, lifetime=3600)
    yield discovery
    await discovery.aclose()


def ids(models: Sequence[Model]) -> list[str]:
    return [model.id for model in models]


async def test_the_vendor_is_asked_once_for_all(vendor: Vendor, discovery: Discovery) -> None:
    lists = await asyncio.gather(*(discovery.models(refresh=False) for _ in range(5)))
    assert {tuple(ids(models)) for models in lists} == {("list-1",)}
    assert vendor.asked == 1


async def test_a_refresh_asks_again(vendor: Vendor, discovery: Discovery) -> None:
    await discovery.models(refresh=False)
    assert ids(await discovery.models(refresh=True)) == ["list-2"]


async def test_a_vendor_that_is_down_leaves_what_is_known(vendor: Vendor, discovery: Discovery) -> None:
    vendor.fails = True
    assert await discovery.models(refresh=False) == KNOWN
    with pytest.raises(UnavailableError):
        await discovery.models(refresh=True)


async def test_a_vendor_that_goes_down_leaves_the_last_list(vendor: Vendor, discovery: Discovery) -> None:
    await discovery.models(refresh=False)
    vendor.fails = True
    with pytest.raises(UnavailableError):
        await discovery.models(refresh=True)
    assert ids(await discovery.models(refresh=False)) == ["list-1"]


async def test_an_old_list_is_given_while_a_new_one_is_fetched(vendor: Vendor) -> None:
    discovery = Discovery(vendor.ask, lambda: KNOWN, lifetime=0)
    try:
        await discovery.models(refresh=False)
        vendor.gate.clear()
        assert ids(await discovery.models(refresh=False)) == ["list-1"]
        vendor.gate.set()
        assert ids(await discovery.models(refresh=True)) == ["list-2"]
    finally:
        await discovery.aclose()


async def test_the_same_list_stays_the_same_object(vendor: Vendor, discovery: Discovery) -> None:
    first = await discovery.models(refresh=False)
    vendor.asked -= 1
    assert await discovery.models(refresh=True) is first
