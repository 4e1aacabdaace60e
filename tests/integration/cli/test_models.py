"""``mediaconduit models``: what there is, what it costs, what is new."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.support.brokers import write_provider

CODE = """
import json
from datetime import datetime
from pathlib import Path

from mediaconduit_provider import Model, Pricing, Provider, Rate


def price(into, out):
    return Pricing(
        currency="USD",
        rates=[
            Rate(unit="input-token", nano_price=round(into * 10**9), per=10**6),
            Rate(unit="output-token", nano_price=round(out * 10**9), per=10**6),
        ],
        source="a dated file",
    )


class Mine(Provider):
    async def list_models(self, *, refresh=False):
        return [
            Model("small", ["text-to-text"], context_tokens=8000, pricing=price(0, 0), released=datetime(2025, 1, 1)),
            Model(
                "large",
                ["text-to-text", "image-to-text"],
                description="For hard questions.",
                context_tokens=1_000_000,
                max_output_tokens=64_000,
                features=["tools", "vision"],
                pricing=price(2.5, 10),
                released=datetime(2026, 6, 1),
                retires=datetime(2031, 1, 1),
            ),
            Model("unpriced", ["text-to-audio"]),
        ] + [Model(name, ["text-to-text"]) for name in json.loads(Path(LISTING).read_text())]

    async def transform(self, call):
        yield "done"
"""


class Vendor:
    def __init__(self, folder: Path) -> None:
        self.listing = folder / "more.json"
        self.source = write_provider(folder / "market", f"LISTING = {str(self.listing)!r}\n{CODE}", name="market")
        self.offers()

    def offers(self, *more: str) -> None:
        fresh = self.listing.with_suffix(".new")
        fresh.write_text(json.dumps(more))
        fresh.replace(self.listing)


@pytest.fixture(scope="module")
def vendor(cli, tmp_path_factory):
    made = Vendor(tmp_path_factory.mktemp("market"))
    assert cli("provider", "add", made.source).code == 0
    yield made
    assert cli("provider", "rm", "market").code == 0


def names(done) -> list[str]:
    return [line.split()[0].removeprefix("market/") for line in done.out.splitlines()[1:]]


def test_a_line_says_what_a_model_does_holds_costs_and_has(cli, vendor):
    listed = [line.split("  ") for line in cli("models", "market").out.splitlines()]
    lines = [[cell.strip() for cell in line if cell.strip()] for line in listed]
    assert lines == [
        ["model", "does", "context", "price", "features"],
        ["market/small", "text → text", "8k", "free"],
        ["market/large", "text, image → text", "1M", "$2.5 in, $10 out", "tools vision"],
        ["market/unpriced", "text → audio", "?"],
    ]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--free"], ["small"]),
        (["--feature", "tools", "--feature", "vision"], ["large"]),
        (["--search", "HARD questions"], ["large"]),
        (["--capability", "text-to-audio"], ["unpriced"]),
        (["--newest"], ["large", "small", "unpriced"]),
    ],
)
def test_models_are_chosen_and_ordered(cli, vendor, options, found):
    assert names(cli("models", "--provider", "market", *options)) == found
    listed = json.loads(cli("models", "--provider", "market", "--json", *options).out)
    assert [model["name"] for model in listed] == [f"providers/market/models/{name}" for name in found]


def test_the_fastest_are_those_that_have_answered_and_the_others_are_said_to_be_in_no_order(cli, vendor):
    nothing = cli("models", "market", "--fastest", "--search", "unpriced")
    assert "not in order: how soon these models answer is not known" in nothing.err
    assert cli("transform", "market/unpriced", "hi").code == 0
    measured = cli("models", "market", "--fastest")
    assert names(measured)[0] == "unpriced"
    assert " ms" in measured.out.splitlines()[1]
    assert "the last 2 are in no order" in measured.err


def test_one_model_shows_its_prices_and_dates(cli, vendor):
    shown = cli("models", "market/large").out
    for said in ("$2.5 per 1 000 000 input-tokens", "source: a dated file", "2026-06-01", "2031-01-01", "up to 64000"):
        assert said in shown


def test_a_terminal_shows_a_line_for_each_model(cli, vendor):
    code, shown = cli.on_terminal("models", "market")
    assert code == 0
    assert len(shown.strip().splitlines()) == 4
    assert all(len(line) < 100 for line in shown.splitlines() if "\x1b" not in line)


@pytest.mark.parametrize(
    "options", [["--newest", "--fastest"], ["market", "--provider", "market"], ["market/large", "--watch"]]
)
def test_what_cannot_be_meant_together_is_refused(cli, options):
    assert cli("models", *options).code == 2


def ended(watching) -> None:
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=30)


def test_watching_tells_what_appears_and_vanishes_until_it_is_interrupted(cli, vendor):
    watching = cli.start("models", "market", "--watch", "--json")
    try:
        vendor.offers("fresh")
        assert cli("models", "--refresh").code == 0
        assert watching.stdout is not None
        appeared = json.loads(watching.stdout.readline())
        assert appeared["name"] == "providers/market/models/fresh"
        assert appeared["kind"] == "MODEL_CHANGE_KIND_APPEARED"
        vendor.offers()
        assert cli("models", "--refresh").code == 0
        assert json.loads(watching.stdout.readline())["kind"] == "MODEL_CHANGE_KIND_VANISHED"
    finally:
        ended(watching)
    later = cli.start("models", "market", "--watch")
    try:
        lines = [later.stdout.readline().split(" ", 2)[2].rstrip() for _ in range(2)]
        assert lines == ["+ market/fresh  text → text", "- market/fresh  text → text"]
    finally:
        ended(later)
    inspected = cli("provider", "inspect", "market").out
    assert "3; 1 appeared, 1 vanished since the broker started" in inspected
    counters = json.loads(cli("provider", "inspect", "market", "--json").out)["model_counters"]
    assert (counters["models_appeared"], counters["models_vanished"]) == ("1", "1")
