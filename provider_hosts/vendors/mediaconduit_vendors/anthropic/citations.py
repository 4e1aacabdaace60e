"""Citations of an answer, as the contract has them and as the vendor wants them back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mediaconduit_provider import Citation

_SAID_OTHERWISE: Final = frozenset({"cited_text", "document_title", "title", "url", "source", "encrypted_index"})
"""Keys that are no part of the place, or have a field of their own."""


def citation_of(stated: Mapping[str, Any]) -> Citation:
    """A citation. It supports all of its block, which is an output of its own."""
    citation = Citation(
        uri=stated.get("url") or stated.get("source") or "",
        title=stated.get("document_title") or stated.get("title") or "",
        quote=stated.get("cited_text") or "",
    )
    place = {key: value for key, value in stated.items() if key not in _SAID_OTHERWISE and value is not None}
    citation.location.update(place)
    return citation


def sent_back(stated: Mapping[str, Any]) -> dict[str, Any]:
    """A citation as a request may hold it: without what only answers have."""
    return {key: value for key, value in stated.items() if key != "file_id"}
