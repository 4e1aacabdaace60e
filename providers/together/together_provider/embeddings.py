"""Embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mediaconduit_provider import Call, Usage
from mediaconduit_vendors.content import text_items
from mediaconduit_vendors.openai.embeddings import Embeddings
from mediaconduit_vendors.options import Schema
from mediaconduit_vendors.usage import estimated_usage


class TogetherEmbeddings(Embeddings):
    """``POST /v1/embeddings``, of one length, as numbers."""

    options: ClassVar[Mapping[str, Schema]] = {}
    fields: ClassVar[Mapping[str, str]] = {}
    encoding: ClassVar[str] = ""

    def usage(self, answer: Mapping[str, Any], call: Call) -> Usage:
        """Tokens read; estimated where Together does not count them, as its description has it."""
        if answer.get("usage"):
            return super().usage(answer, call)
        return estimated_usage(sum(map(len, text_items(call))), 0, call.model.pricing)
