"""Price files: reading and checking them.

A file is JSON::

    {
      "source": "our contract of 2026-10-01",
      "currency": "USD",
      "models": {
        "gpt-4o": {
          "mode": "chat", "context_tokens": 128000, "max_output_tokens": 16384,
          "features": ["tools", "vision"], "retires": "2027-01-01",
          "rates": [["input-token", 2.5, 1000000], ["input-token", 4.25, 1000000, {"service_tier": "priority"}]]
        }
      }
    }

A rate is ``[unit, price, how many units that buys]`` and, where it does not always hold, its conditions; units and
conditions are those of ``Rate`` in mediaconduit/v1/models.proto. Everything of a model may be left out; without "rates"
its price is unknown, with an empty list it is free.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from mediaconduit.errors import FieldViolation, InvalidRequestError
from mediaconduit.v1.models_pb2 import Pricing, Rate

from mediaconduit_vendors.prices.listing import FEATURES, Listing

_NANO: Final = 10**9
_TOP: Final = frozenset({"source", "license", "vendor", "currency", "models"})
_MODEL: Final = frozenset({"mode", "context_tokens", "max_output_tokens", "features", "retires", "rates"})


@dataclass(frozen=True)
class PriceFile(Mapping[str, Listing]):
    """The listings of a file by model id; each is made when it is asked for."""

    source: str
    currency: str
    models: Mapping[str, Mapping[str, Any]]

    def __getitem__(self, model_id: str) -> Listing:
        return _listing(model_id, self.models[model_id], self.source, self.currency)

    def __iter__(self) -> Iterator[str]:
        return iter(self.models)

    def __len__(self) -> int:
        return len(self.models)

    @cached_property
    def by_base(self) -> Mapping[str, str]:
        """The newest entry of each model that is listed with its date alone, by the id without."""
        from mediaconduit_vendors.prices.variants import undated

        return {undated(name): name for name in sorted(self.models) if undated(name) != name}


def read_prices(path: Path) -> PriceFile:
    """Reads a price file and checks all of it.

    Raises:
        InvalidRequestError: It cannot be read or is not what it has to be; every wrong field is named.
    """
    try:
        document = json.loads(path.read_bytes(), parse_float=Decimal)
    except OSError as error:
        raise InvalidRequestError.at(
            path.name, f"cannot be read: {error.strerror}", hint="name a price file that the provider may read"
        ) from None
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError.at(path.name, f"is not JSON: {error}") from None
    if violations := list(_violations(document)):
        raise InvalidRequestError(
            "\n".join([f"{path.name} is not a price file", *(f"{v.field}: {v.description}" for v in violations[:20])]),
            fields=violations[:20],
            hint="docs/prices.md shows what one looks like",
        )
    return loaded(document)


def check_prices(path: Path, field: str) -> None:
    """Refuses a setting that names a price file which is none.

    Raises:
        InvalidRequestError: As `read_prices`, about the setting `field`.
    """
    try:
        read_prices(path)
    except InvalidRequestError as error:
        fields = [FieldViolation(field, f"{wrong.field}: {wrong.description}") for wrong in error.fields]
        raise InvalidRequestError(f"{field}: {error.message}", fields=fields, hint=error.hint) from None


def loaded(document: Mapping[str, Any]) -> PriceFile:
    """A document that is known to be right."""
    return PriceFile(document["source"], document.get("currency", "USD"), document["models"])


def _listing(model_id: str, entry: Mapping[str, Any], source: str, currency: str) -> Listing:
    rates = entry.get("rates")
    retires = entry.get("retires")
    return Listing(
        model_id=model_id,
        mode=entry.get("mode", ""),
        context_tokens=entry.get("context_tokens", 0),
        max_output_tokens=entry.get("max_output_tokens", 0),
        pricing=None if rates is None else Pricing(currency=currency, rates=_rates(rates), source=source),
        features=tuple(sorted(entry.get("features", ()))),
        retires=datetime.date.fromisoformat(retires) if retires else None,
    )


def _rates(rows: Sequence[Sequence[Any]]) -> list[Rate]:
    return [
        Rate(unit=row[0], nano_price=nano(row[1]), per=row[2], conditions=row[3] if len(row) > 3 else {})
        for row in rows
    ]


def nano(price: Decimal | int) -> int:
    """Billionths of a price, exactly.

    Raises:
        ValueError: It has more than nine places.
    """
    scaled = Decimal(price) * _NANO
    if scaled != int(scaled):
        raise ValueError("more than nine places after the point; let it buy more units")
    return int(scaled)


def _violations(document: Any) -> Iterator[FieldViolation]:
    if not isinstance(document, dict):
        yield FieldViolation("", "must be an object")
        return
    for name in document.keys() - _TOP:
        yield FieldViolation(name, f"is not known; there are {', '.join(sorted(_TOP))}")
    if not isinstance(document.get("source"), str) or not document["source"]:
        yield FieldViolation("source", "must say where the prices are from, and of when they are")
    currency = document.get("currency", "USD")
    if not (isinstance(currency, str) and len(currency) == 3 and currency.isalpha() and currency.isupper()):
        yield FieldViolation("currency", 'must be an ISO 4217 code like "USD"')
    models = document.get("models")
    if not isinstance(models, dict):
        yield FieldViolation("models", "must be an object of models by their ids")
        return
    for name, entry in models.items():
        yield from _of_model(f"models.{name}", entry)


def _of_model(at: str, entry: Any) -> Iterator[FieldViolation]:
    if not isinstance(entry, dict):
        yield FieldViolation(at, "must be an object")
        return
    for name in entry.keys() - _MODEL:
        yield FieldViolation(f"{at}.{name}", f"is not known; there are {', '.join(sorted(_MODEL))}")
    if not isinstance(entry.get("mode", ""), str):
        yield FieldViolation(f"{at}.mode", "must be a string")
    for name in ("context_tokens", "max_output_tokens"):
        if not _whole(entry.get(name, 0)):
            yield FieldViolation(f"{at}.{name}", "must be a whole number from 0")
    features = entry.get("features", [])
    if not isinstance(features, list) or any(feature not in FEATURES for feature in map(str, features)):
        yield FieldViolation(f"{at}.features", f"must be a list out of {', '.join(sorted(FEATURES))}")
    if "retires" in entry and not _date(entry["retires"]):
        yield FieldViolation(f"{at}.retires", 'must be a date like "2027-01-31"')
    rates = entry.get("rates", [])
    if not isinstance(rates, list):
        yield FieldViolation(f"{at}.rates", "must be a list")
        return
    for index, row in enumerate(rates):
        if problem := _of_rate(row):
            yield FieldViolation(f"{at}.rates[{index}]", problem)


def _of_rate(row: Any) -> str:
    if not isinstance(row, list) or len(row) not in (3, 4):
        return "must be [unit, price, how many units that buys] and perhaps its conditions"
    unit, price, per = row[:3]
    if not isinstance(unit, str) or not unit:
        return 'the unit must be a name like "input-token"'
    if isinstance(price, bool) or not isinstance(price, int | Decimal) or not price >= 0:
        return "the price must be a number from 0"
    try:
        if nano(price) >= 2**63:
            return "the price is too large"
    except (ValueError, InvalidOperation) as error:
        return f"the price: {error}"
    if not _whole(per) or per == 0:
        return "how many units that buys must be a whole number from 1"
    conditions = row[3] if len(row) == 4 else {}
    if not isinstance(conditions, dict) or not all(isinstance(value, str) for value in conditions.values()):
        return "its conditions must be an object of strings"
    threshold = conditions.get("min-input-tokens", "0")
    return "" if threshold.isdecimal() else 'the condition "min-input-tokens" must be a whole number'


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _date(value: Any) -> bool:
    try:
        datetime.date.fromisoformat(value)
    except (ValueError, TypeError):
        return False
    return True
