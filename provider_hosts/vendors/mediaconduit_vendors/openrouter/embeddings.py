"""Embeddings, routed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from mediaconduit_provider import Call

from mediaconduit_vendors.openai.embeddings import Embeddings
from mediaconduit_vendors.openai.options import Schema
from mediaconduit_vendors.openrouter.options import ROUTING

_PURPOSES: Final = {"query": "search_query", "document": "search_document"}


class RouterEmbeddings(Embeddings):
    """``POST /embeddings``."""

    options: ClassVar[Mapping[str, Schema]] = {
        **Embeddings.options,
        **{path: schema for path, schema in ROUTING.items() if path.startswith("extra.provider.")},
        "embedding.purpose": {"type": "string"},
    }
    places: ClassVar[Mapping[str, str]] = {**Embeddings.places, "input_type": "options.embedding.purpose"}

    def request(self, call: Call) -> dict[str, Any]:
        """The body, and what the vectors are for."""
        body = super().request(call)
        if purpose := call.options.embedding.purpose:
            body["input_type"] = _PURPOSES.get(purpose, purpose)
        return body
