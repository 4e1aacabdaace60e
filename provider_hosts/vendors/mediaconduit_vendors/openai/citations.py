"""Sources of a text, as this style annotates them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.struct_pb2 import Struct
from mediaconduit_provider import Citation


def citation_of(annotation: Mapping[str, Any], text: str) -> Citation | None:
    """A source; None for an annotation that names none.

    Args:
        annotation: Of an answer, or of a chat (where its content is one level down).
        text: What it annotates. Its places are counted in characters there, in bytes here.
    """
    kind = annotation.get("type") or ""
    about = annotation.get(kind)
    found = about if isinstance(about, Mapping) else annotation
    uri = found.get("url") or found.get("file_id") or ""
    if not uri:
        return None
    citation = Citation(uri=uri, title=found.get("title") or found.get("filename") or "")
    start, end = found.get("start_index"), found.get("end_index")
    if start is not None and end is not None:
        citation.start_byte = len(text[:start].encode("utf-8", "replace"))
        citation.end_byte = len(text[:end].encode("utf-8", "replace"))
    if place := {name: found[name] for name in ("container_id", "index") if found.get(name) is not None}:
        location = Struct()
        location.update(place)
        citation.location.CopyFrom(location)
    return citation
