"""docs/prices.md shows a file that is one, and names every unit and condition the bundled files have."""

from __future__ import annotations

import re
from pathlib import Path

from mediaconduit_vendors import prices
from mediaconduit_vendors.prices import lookup, read_prices

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs/prices.md").read_text()
CONTRACT = (ROOT / "protos/mediaconduit/v1/models.proto").read_text()


def test_the_example_is_a_price_file(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text(re.findall(r"```json\n(.*?)```", PAGE, re.S)[0])
    assert read_prices(path).source == "our contract of 2026-10-01"
    listing = lookup("openai", "gpt-4o", path)
    assert listing is not None
    assert listing.pricing is not None
    assert {rate.nano_price for rate in listing.pricing.rates if rate.unit == "output-token"} == {8_000_000_000}


def test_every_unit_and_condition_is_explained() -> None:
    units, conditions = set(), set()
    for path in (Path(prices.__file__).parent / "data").glob("*.json"):
        document = read_prices(path)
        for name in document:
            for rate in document.models[name].get("rates", ()):
                units.add(rate[0])
                conditions |= set(rate[3]) if len(rate) > 3 else set()
    assert units
    assert {unit for unit in units if f'"{unit}"' not in CONTRACT and f"`{unit}`" not in PAGE} == set()
    assert {name for name in conditions if f"`{name}`" not in PAGE} == set()
