"""Prices, limits and features of vendors' models, for vendors whose APIs do not tell them.

One file per vendor, ``data/{vendor}.json``, made by ``scripts/vendor-prices``; operators may have their own. Only
the one asked for is read, at the first question. This package does no network: whoever has OpenRouter's public list
hands it over.
"""

from mediaconduit_vendors.prices.cost import cost
from mediaconduit_vendors.prices.file import PriceFile, check_prices, read_prices
from mediaconduit_vendors.prices.listing import FEATURES, Listing, ListingOf
from mediaconduit_vendors.prices.lookup import listings, lookup
from mediaconduit_vendors.prices.openrouter import from_openrouter, openrouter_id

__all__ = [
    "FEATURES",
    "Listing",
    "ListingOf",
    "PriceFile",
    "check_prices",
    "cost",
    "from_openrouter",
    "listings",
    "lookup",
    "openrouter_id",
    "read_prices",
]
