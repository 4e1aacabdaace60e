"""Sources of an answer, as citations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mediaconduit_provider import Citation

_KINDS: Final = ("web", "retrievedContext", "maps", "image")


def citations_of(candidate: Mapping[str, Any]) -> Iterator[Citation]:
    """Of what a chunk says of its sources: what was searched, and what was recited. Offsets are bytes in both."""
    grounding = candidate.get("groundingMetadata") or {}
    chunks = grounding.get("groundingChunks") or ()
    for support in grounding.get("groundingSupports") or ():
        segment = support.get("segment") or {}
        for index in support.get("groundingChunkIndices") or ():
            if 0 <= index < len(chunks):
                yield _citation(chunks[index], segment)
    for source in (candidate.get("citationMetadata") or {}).get("citationSources") or ():
        citation = Citation(
            uri=source.get("uri") or "",
            start_byte=source.get("startIndex") or 0,
            end_byte=source.get("endIndex") or 0,
        )
        if license := source.get("license"):
            citation.location.update({"license": license})
        yield citation


def _citation(chunk: Mapping[str, Any], segment: Mapping[str, Any]) -> Citation:
    kind = next((kind for kind in _KINDS if kind in chunk), "")
    source = chunk.get(kind) or {}
    citation = Citation(
        start_byte=segment.get("startIndex") or 0,
        end_byte=segment.get("endIndex") or 0,
        uri=source.get("uri") or source.get("sourceUri") or "",
        title=source.get("title") or "",
        quote=source.get("text") or "",
    )
    if (page := source.get("pageNumber")) is not None:
        citation.location.update({"page": page})
    return citation


def searches_of(candidate: Mapping[str, Any]) -> int:
    """How many queries the vendor searched for."""
    grounding = candidate.get("groundingMetadata") or {}
    return len(grounding.get("webSearchQueries") or ()) + len(grounding.get("imageSearchQueries") or ())
