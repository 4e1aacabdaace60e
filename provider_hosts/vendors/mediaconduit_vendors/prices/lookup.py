"""Finds a model's listing by the vendor's id of it."""

from __future__ import annotations

import json
import logging
from collections import ChainMap
from collections.abc import Mapping
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from mediaconduit.errors import InvalidRequestError

from mediaconduit_vendors.prices.file import PriceFile, loaded, read_prices
from mediaconduit_vendors.prices.listing import Listing
from mediaconduit_vendors.prices.openrouter import openrouter_id
from mediaconduit_vendors.prices.variants import undated, variants

_log = logging.getLogger(__name__)
_NOTHING: Final = PriceFile("", "USD", {})


def lookup(
    vendor: str,
    model_id: str,
    replacement: Path | None = None,
    further: Mapping[str, Listing] | None = None,
) -> Listing | None:
    """What is known of a model: by its very id, else by the id without its date, or with the newest date.

    Args:
        vendor: As the data files are named ("openai", "azure-openai").
        model_id: The vendor's id ("gpt-4o-2024-08-06").
        replacement: An operator's own price file. What it has wins; what it lacks comes from the bundled one. While it
            cannot be read the bundled one holds, and the log says why.
        further: Listings by OpenRouter's ids, from `from_openrouter`, for what neither file has.
    """
    for prices in _files(vendor, replacement):
        if (found := _find(prices, model_id)) is not None:
            return found
    if further:
        for name in variants(model_id):
            if (listing := further.get(openrouter_id(vendor, name))) is not None:
                return listing
    return None


def listings(vendor: str, replacement: Path | None = None) -> Mapping[str, Listing]:
    """All that is listed of a vendor, by model id; empty for one that is not."""
    return ChainMap(*_files(vendor, replacement))  # type: ignore[arg-type]  # it is only read


def _files(vendor: str, replacement: Path | None) -> list[PriceFile]:
    own = _replacement(replacement) if replacement is not None else None
    return [own, _bundled(vendor)] if own is not None else [_bundled(vendor)]


def _find(prices: PriceFile, model_id: str) -> Listing | None:
    for name in variants(model_id):
        if name in prices:
            return prices[name]
    newest = prices.by_base.get(model_id) or prices.by_base.get(undated(model_id))
    return prices[newest] if newest is not None else None


@cache
def _bundled(vendor: str) -> PriceFile:
    resource = files(__package__).joinpath("data", f"{vendor}.json")
    if not vendor.replace("-", "").isalnum() or not resource.is_file():
        return _NOTHING
    return loaded(json.loads(resource.read_bytes(), parse_float=Decimal))


def _replacement(path: Path) -> PriceFile | None:
    try:
        state = path.stat()
    except OSError:
        return _read(path, 0, 0)
    return _read(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=16)
def _read(path: Path, _changed: int, _size: int) -> PriceFile | None:
    """A version of a file; None, and a line in the log, when it is not right."""
    try:
        return read_prices(path)
    except InvalidRequestError as error:
        _log.warning("the price file does not count, the bundled prices hold: %s", error.message)
        return None
