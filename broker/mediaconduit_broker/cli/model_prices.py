"""Prices as people say them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mediaconduit.v1 import models_pb2

_CURRENCIES: Final = {"USD": "$", "EUR": "€", "GBP": "£"}
_MILLION: Final = 10**6
_SAID: Final = {
    "input-token": ("in", _MILLION),
    "output-token": ("out", _MILLION),
    "output-audio-token": ("audio out", _MILLION),
    "output-image-token": ("image out", _MILLION),
    "image": ("/image", 1),
    "pixel": ("/megapixel", _MILLION),
    "input-image": ("/image in", 1),
    "input-audio-millisecond": ("/minute", 60_000),
    "audio-millisecond": ("/minute", 60_000),
    "video-millisecond": ("/second", 1000),
    "compute-millisecond": ("/second", 1000),
    "character": ("/1M characters", _MILLION),
    "page": ("/1k pages", 1000),
    "search": ("/1k searches", 1000),
    "request": ("/request", 1),
    "credit": ("/credit", 1),
}
"""How a unit is said, and of how many of it."""
_OUTPUTS: Final = {
    "image": ("output-image-token", "output-token"),
    "audio": ("output-audio-token", "output-token"),
}
"""What a model that makes this is first known by."""
_ALONE: Final = (
    "image",
    "video-millisecond",
    "audio-millisecond",
    "input-audio-millisecond",
    "character",
    "page",
    "pixel",
    "search",
    "request",
    "compute-millisecond",
    "credit",
)
"""Units that say a price by themselves, the most telling first."""


def is_free(model: models_pb2.Model) -> bool:
    """Whether a model is known to cost nothing."""
    return model.HasField("pricing") and not any(rate.nano_price for rate in model.pricing.rates)


def brief(model: models_pb2.Model) -> str:
    """A price in a few words: of a million tokens, else of a unit. "?" when unknown."""
    if not model.HasField("pricing"):
        return "?"
    if is_free(model):
        return "free"
    pricing = model.pricing
    tokens = [rate for unit in ("input-token", _output(model)) if (rate := _usual(pricing, unit)) is not None]
    if any(rate.nano_price for rate in tokens):
        return ", ".join(_said(pricing, rate) for rate in tokens)
    for unit in _ALONE:
        if (rate := _usual(pricing, unit)) is not None and rate.nano_price:
            return _said(pricing, rate)
    cheapest = min((rate for rate in pricing.rates if rate.nano_price), key=lambda rate: rate.nano_price)
    return ("from " if cheapest.conditions else "") + _said(pricing, cheapest)


def in_full(model: models_pb2.Model) -> list[str]:
    """Every rate on a line of its own, and where the prices are from."""
    if not model.HasField("pricing"):
        return []
    pricing = model.pricing
    if is_free(model):
        lines = ["free"]
    else:
        ordered = sorted(pricing.rates, key=lambda rate: (rate.unit, len(rate.conditions), rate.nano_price))
        lines = [_line(pricing, rate) for rate in ordered]
    return [*lines, f"source: {pricing.source}"] if pricing.source else lines


def _line(pricing: models_pb2.Pricing, rate: models_pb2.Rate) -> str:
    _, count = _SAID.get(rate.unit, ("", _MILLION if rate.unit.endswith("-token") else rate.per or 1))
    when = ", ".join(f"{name} {value}" for name, value in sorted(rate.conditions.items()))
    each = rate.unit if count == 1 else f"{count:,} {rate.unit}s".replace(",", " ")
    return f"{_money(pricing, rate, count)} per {each}" + (f" ({when})" if when else "")


def _output(model: models_pb2.Model) -> str:
    """The unit of output tokens a model is known by."""
    makes = {capability.rpartition("-to-")[2] for capability in model.capabilities}
    units = {rate.unit for rate in model.pricing.rates}
    known: Sequence[str] = next((_OUTPUTS[kind] for kind in ("image", "audio") if makes == {kind}), ())
    return next((unit for unit in known if unit in units), "output-token")


def _usual(pricing: models_pb2.Pricing, unit: str) -> models_pb2.Rate | None:
    """The rate that holds without any condition."""
    return next((rate for rate in pricing.rates if rate.unit == unit and not rate.conditions), None)


def _said(pricing: models_pb2.Pricing, rate: models_pb2.Rate) -> str:
    words, count = _SAID.get(rate.unit, (f"/{rate.unit}", rate.per or 1))
    return _money(pricing, rate, count) + ("" if words.startswith("/") else " ") + words


def _money(pricing: models_pb2.Pricing, rate: models_pb2.Rate, count: int) -> str:
    amount = rate.nano_price * count / (rate.per or 1) / 10**9
    text = f"{amount:.4g}" if amount >= 0.0001 or not amount else f"{amount:.2g}"
    sign = _CURRENCIES.get(pricing.currency)
    return f"{sign}{text}" if sign else f"{pricing.currency} {text}"
