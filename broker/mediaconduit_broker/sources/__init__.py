"""Where a provider's code comes from: texts parsed, commits found, fetched once, kept by version. Runs none of it."""

from mediaconduit_broker.sources.checkout import Checkout, content_hash
from mediaconduit_broker.sources.folders import catalog
from mediaconduit_broker.sources.parse import (
    CatalogSource,
    FolderSource,
    GitSource,
    NpmSource,
    PypiSource,
    Source,
    parse,
)
from mediaconduit_broker.sources.resolver import Sources
from mediaconduit_broker.sources.sharing import Report, silent

__all__ = [
    "CatalogSource",
    "Checkout",
    "FolderSource",
    "GitSource",
    "NpmSource",
    "PypiSource",
    "Report",
    "Source",
    "Sources",
    "catalog",
    "content_hash",
    "parse",
    "silent",
]
