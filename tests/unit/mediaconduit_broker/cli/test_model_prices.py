from __future__ import annotations

import pytest
from mediaconduit.v1 import models_pb2
from mediaconduit_broker.cli.model_prices import brief, in_full, is_free

MILLION = 10**6


def model(
    *rates: tuple[str, float, int] | tuple[str, float, int, dict[str, str]], does: str = "text-to-text", **pricing: str
) -> models_pb2.Model:
    made = models_pb2.Model(capabilities=[does])
    made.pricing.currency = pricing.get("currency", "USD")
    made.pricing.source = pricing.get("source", "")
    for unit, price, per, *conditions in rates:
        made.pricing.rates.add(
            unit=unit, nano_price=round(price * 10**9), per=per, conditions=conditions[0] if conditions else {}
        )
    return made


@pytest.mark.parametrize(
    ("priced", "said"),
    [
        (models_pb2.Model(), "?"),
        (model(), "free"),
        (model(("input-token", 0, MILLION), ("output-token", 0, MILLION)), "free"),
        (model(("input-token", 2.5, MILLION), ("output-token", 10, MILLION)), "$2.5 in, $10 out"),
        (model(("input-token", 0.00000015, 1), ("output-token", 0.0006, 1000)), "$0.15 in, $0.6 out"),
        (model(("input-token", 0.02, MILLION)), "$0.02 in"),
        (model(("input-token", 1, MILLION), currency="EUR"), "€1 in"),
        (model(("input-token", 1, MILLION), currency="SEK"), "SEK 1 in"),
        (
            model(("input-token", 9, MILLION, {"service_tier": "priority"}), ("input-token", 3, MILLION)),
            "$3 in",
        ),
        (model(("input-audio-millisecond", 0.006, 60_000)), "$0.006/minute"),
        (model(("video-millisecond", 0.1, 1000)), "$0.1/second"),
        (model(("character", 80, MILLION), does="text-to-audio"), "$80/1M characters"),
        (model(("page", 0.004, 1)), "$4/1k pages"),
        (model(("image", 0.04, 1), does="text-to-image"), "$0.04/image"),
        (
            model(
                ("image", 0.2, 1, {"quality": "high"}), ("image", 0.009, 1, {"quality": "low"}), does="text-to-image"
            ),
            "from $0.009/image",
        ),
        (
            model(
                ("input-token", 5, MILLION),
                ("output-token", 10, MILLION),
                ("output-image-token", 32, MILLION),
                does="text-to-image",
            ),
            "$5 in, $32 image out",
        ),
        (model(("drawing", 0.5, 2)), "$0.5/drawing"),
        (model(("input-token", 0, MILLION), ("output-token", 0, MILLION), ("request", 0.01, 1)), "$0.01/request"),
        (model(("input-token", 0.0000002, MILLION)), "$2e-07 in"),
    ],
)
def test_a_price_in_a_few_words(priced: models_pb2.Model, said: str) -> None:
    assert brief(priced) == said
    assert is_free(priced) == (said == "free")


def test_every_rate_with_its_conditions_and_where_it_is_from() -> None:
    priced = model(
        ("input-token", 2.5, MILLION),
        ("input-token", 5, MILLION, {"min-input-tokens": "200001"}),
        ("image", 0.04, 1),
        source="a dated file",
    )
    assert in_full(priced) == [
        "$0.04 per image",
        "$2.5 per 1 000 000 input-tokens",
        "$5 per 1 000 000 input-tokens (min-input-tokens 200001)",
        "source: a dated file",
    ]
    assert in_full(models_pb2.Model()) == []
    assert in_full(model()) == ["free"]
