from __future__ import annotations

from datetime import UTC, date, datetime

from mediaconduit.v1.models_pb2 import Pricing
from mediaconduit_vendors.kinds import Kind
from mediaconduit_vendors.prices import Listing

KIND = Kind({}, features=("streaming",))
LISTED = Listing(
    "m",
    context_tokens=8,
    pricing=Pricing(currency="USD"),
    features=("tools",),
    retires=date(2027, 1, 31),
    released=datetime(2026, 1, 1, tzinfo=UTC),
)


def test_a_model_has_what_is_listed_of_it() -> None:
    model = KIND.model("m", LISTED)
    assert (model.context_tokens, model.pricing, model.features) == (8, Pricing(currency="USD"), ("streaming", "tools"))
    assert (model.released, model.retires) == (LISTED.released, datetime(2027, 1, 31, tzinfo=UTC))


def test_what_the_vendor_states_wins_over_what_is_listed() -> None:
    stated = datetime(2025, 5, 5, tzinfo=UTC)
    model = KIND.model("m", LISTED, released=stated, context_tokens=0)
    assert (model.released, model.context_tokens) == (stated, 8)


def test_nothing_is_made_up_of_a_model_that_is_not_listed() -> None:
    model = KIND.model("m")
    assert (model.pricing, model.released, model.retires, model.context_tokens) == (None, None, None, 0)
