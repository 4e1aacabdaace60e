from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mediaconduit.errors import InvalidRequestError
from mediaconduit_vendors import prices
from mediaconduit_vendors.prices import FEATURES, Listing, listings, lookup, read_prices
from mediaconduit_vendors.prices.variants import undated

DATA = Path(prices.__file__).parent / "data"
BUNDLED = sorted(DATA.glob("*.json"))


def own(folder: Path, **document: Any) -> Path:
    path = folder / "prices.json"
    path.write_text(json.dumps({"source": "our contract, 2026-10-01", "models": {}} | document))
    return path


def rate(listing: Listing | None, unit: str) -> tuple[int, int]:
    assert listing is not None
    assert listing.pricing is not None
    return next((r.nano_price, r.per) for r in listing.pricing.rates if r.unit == unit and not r.conditions)


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_every_bundled_file_is_right_and_says_where_it_is_from(path: Path) -> None:
    document = json.loads(path.read_text())
    assert read_prices(path).source == document["source"]
    assert document["source"].startswith("litellm 1.")
    assert document["license"].startswith("MIT")
    assert (DATA / "LICENSE.litellm").exists()


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_every_listing_can_be_made(path: Path) -> None:
    found = listings(path.stem)
    assert found
    for name in found:
        listing = found[name]
        assert listing.mode
        assert set(listing.features) <= FEATURES
        if listing.pricing is not None:
            assert listing.pricing.currency == "USD"
            assert all(rate.nano_price >= 0 and rate.per > 0 for rate in listing.pricing.rates)


def test_what_is_known_of_a_model() -> None:
    listing = lookup("openai", "gpt-4o")
    assert listing is not None
    assert listing.mode == "chat"
    assert (listing.context_tokens, listing.max_output_tokens) == (128_000, 16_384)
    assert {"tools", "vision", "json-schema"} <= set(listing.features)
    assert rate(listing, "input-token") == (2_500_000_000, 1_000_000)
    assert rate(listing, "output-token") == (10_000_000_000, 1_000_000)
    assert not listing.free


@pytest.mark.parametrize(
    ("vendor", "asked", "found"),
    [
        ("openai", "gpt-4o-2024-08-06", "gpt-4o-2024-08-06"),
        ("openai", "gpt-4o-2031-01-01", "gpt-4o"),
        ("openai", "ft:gpt-4o-2024-08-06:acme::abc123", "ft:gpt-4o-2024-08-06"),
        ("gemini", "models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("gemini", "models/gemini-2.5-flash-001", "gemini-2.5-flash"),
        ("anthropic", "claude-haiku-4-5-20261231", "claude-haiku-4-5"),
        ("mistral", "mistral-large", "mistral-large-latest"),
        ("together", "META-LLAMA/llama-3.3-70b-instruct-turbo", None),
        ("openai", "gpt-4o-nonesuch", None),
        ("openai", "", None),
        ("nobody", "gpt-4o", None),
        ("../data/openai", "gpt-4o", None),
    ],
)
def test_a_model_is_found_with_and_without_its_date_and_never_by_another_name(
    vendor: str, asked: str, found: str | None
) -> None:
    listing = lookup(vendor, asked)
    assert (listing and listing.model_id) == found


def test_a_model_listed_with_its_date_alone_is_found_without_it(tmp_path: Path) -> None:
    dated = {"x-2026-01-01": {"context_tokens": 1}, "x-2026-02-01": {"context_tokens": 2}}
    path = own(tmp_path, models=dated)
    for asked in ("x", "x-2027-01-01"):
        listing = lookup("nobody", asked, path)
        assert listing is not None
        assert listing.context_tokens == 2


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("claude-opus-4-5-20251101", "claude-opus-4-5"),
        ("gemini-live-2.5-flash-preview-native-audio-09-2025", "gemini-live-2.5-flash-preview-native-audio"),
        ("gemini-2.0-flash-001", "gemini-2.0-flash"),
        ("gpt-3.5-turbo-0125", "gpt-3.5-turbo"),
        ("gpt-4-turbo", "gpt-4-turbo"),
        ("claude-opus-4-5", "claude-opus-4-5"),
        ("mistral-7b-v0.3", "mistral-7b-v0.3"),
        ("o1", "o1"),
    ],
)
def test_what_counts_as_a_date(name: str, base: str) -> None:
    assert undated(name) == base


def test_an_operators_own_prices_win_and_what_they_lack_comes_from_the_bundled_ones(tmp_path: Path) -> None:
    path = own(tmp_path, currency="EUR", models={"gpt-4o": {"mode": "chat", "rates": [["input-token", 1.5, 1000000]]}})
    listing = lookup("openai", "gpt-4o", path)
    assert rate(listing, "input-token") == (1_500_000_000, 1_000_000)
    assert listing is not None
    assert listing.pricing is not None
    assert (listing.pricing.currency, listing.pricing.source) == ("EUR", "our contract, 2026-10-01")
    assert lookup("openai", "whisper-1", path) == lookup("openai", "whisper-1")
    assert listings("openai", path)["gpt-4o"] == listing


def test_a_file_that_is_written_anew_counts_anew(tmp_path: Path) -> None:
    path = own(tmp_path, models={"mine": {"context_tokens": 1}})
    assert lookup("openai", "mine", path) is not None
    own(tmp_path, models={"yours": {"context_tokens": 22}})
    assert lookup("openai", "mine", path) is None


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"price": 1}, "models.m.price"),
        ({"context_tokens": "many"}, "models.m.context_tokens"),
        ({"max_output_tokens": -1}, "models.m.max_output_tokens"),
        ({"features": ["flight"]}, "models.m.features"),
        ({"retires": "soon"}, "models.m.retires"),
        ({"rates": {"input-token": 1}}, "models.m.rates"),
        ({"rates": [["input-token", 1]]}, "models.m.rates[0]"),
        ({"rates": [["input-token", -1, 1]]}, "models.m.rates[0]"),
        ({"rates": [["input-token", 1, 0]]}, "models.m.rates[0]"),
        ({"rates": [["input-token", 0.00000000001, 1]]}, "models.m.rates[0]"),
        ({"rates": [["input-token", 1e300, 1]]}, "models.m.rates[0]"),
        ({"rates": [["input-token", 1, 1, {"quality": 1}]]}, "models.m.rates[0]"),
        ({"rates": [["input-token", 1, 1, {"min-input-tokens": "lots"}]]}, "models.m.rates[0]"),
        ("free", "models.m"),
    ],
)
def test_a_wrong_field_of_an_operators_file_is_named(tmp_path: Path, entry: Any, said: str) -> None:
    with pytest.raises(InvalidRequestError) as failed:
        read_prices(own(tmp_path, models={"m": entry, "right": {}}))
    assert [violation.field for violation in failed.value.fields] == [said]
    assert str(tmp_path) not in str(failed.value)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"source": ""}', '{"models": {}}', "[" * 100_000, "\ud800"])
def test_what_is_no_price_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "prices.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InvalidRequestError):
        read_prices(path)


def test_the_bundled_prices_hold_while_the_operators_file_cannot_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = own(tmp_path, models={"gpt-4o": {"rates": [["input-token", -1, 1]]}})
    assert lookup("openai", "gpt-4o", path) == lookup("openai", "gpt-4o")
    assert lookup("openai", "gpt-4o", tmp_path / "nonesuch.json") == lookup("openai", "gpt-4o")
    lookup("openai", "gpt-4", path)
    assert len(caplog.records) == 2, "each file is complained about once"


def test_a_vendors_file_is_read_only_when_it_is_asked_for() -> None:
    import subprocess
    import sys

    code = (
        "import sys; opened = []\n"
        "sys.addaudithook(lambda event, args: event == 'open' and opened.append(str(args[0])))\n"
        "from mediaconduit_vendors.prices import lookup\n"
        "read = lambda: [name.rsplit('/')[-1] for name in opened if '/prices/data/' in name]\n"
        "before = read(); lookup('elevenlabs', 'eleven_v3'); print(before, read())\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[] ['elevenlabs.json']"
