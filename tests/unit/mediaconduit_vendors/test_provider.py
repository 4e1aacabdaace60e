from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from mediaconduit.errors import InvalidRequestError, MediaConduitError, UnavailableError
from mediaconduit_vendors.api import Api
from mediaconduit_vendors.provider import VendorModel, VendorProvider
from mediaconduit_vendors.vendor import Vendor

KNOWN, LISTED = VendorModel("known", ("text-to-text",)), VendorModel("listed", ("text-to-text",))


class Acme(VendorProvider):
    vendor: ClassVar[Vendor] = Vendor("acme", "Acme", "https://acme.example", key="ACME_KEY")
    answer: VendorModel | MediaConduitError = LISTED

    def known_models(self) -> Sequence[VendorModel]:
        return [KNOWN]

    async def discover(self, api: Api) -> Sequence[VendorModel]:
        if isinstance(self.answer, MediaConduitError):
            raise self.answer
        return [self.answer]


@pytest.fixture
async def acme(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Acme]:
    monkeypatch.setenv("ACME_KEY", "sk-acme")
    made = Acme()
    await made.setup()
    yield made
    await made.close()


async def test_what_is_known_is_provisional_until_the_vendor_has_answered(acme: Acme) -> None:
    assert list(await acme.list_models()) == [KNOWN]
    assert acme.models_provisional
    assert list(await acme.list_models()) == [LISTED]
    assert not acme.models_provisional


async def test_without_a_key_what_is_known_stays_provisional(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACME_KEY")
    for _ in range(3):
        assert list(await acme.list_models()) == [KNOWN]
        assert acme.models_provisional


async def test_a_vendor_that_is_down_leaves_a_provisional_list_and_keeps_one_it_gave(acme: Acme) -> None:
    await acme.list_models()
    acme.answer = UnavailableError("gone")
    assert list(await acme.list_models()) == [KNOWN]
    assert acme.models_provisional
    acme.answer = LISTED
    await acme.list_models(refresh=True)
    acme.answer = UnavailableError("gone")
    with pytest.raises(UnavailableError):
        await acme.list_models(refresh=True)
    assert list(await acme.list_models()) == [LISTED]
    assert not acme.models_provisional


async def test_a_wrong_price_file_is_refused_and_what_was_set_stays(acme: Acme, tmp_path: Path) -> None:
    await acme.configure({"attempts": 1})
    path = tmp_path / "prices.json"
    path.write_text('{"source": "ours", "models": {"m": {"rates": [["input-token", -1, 1]]}}}')
    with pytest.raises(InvalidRequestError) as failed:
        await acme.configure({"prices_file": str(path)})
    assert [wrong.field for wrong in failed.value.fields] == ["settings.prices_file"]
    assert "models.m.rates[0]" in failed.value.fields[0].description
    assert acme.settings == {"attempts": 1}
    path.write_text('{"source": "ours", "models": {}}')
    await acme.configure({"prices_file": str(path)})
    assert acme.prices_file == path
