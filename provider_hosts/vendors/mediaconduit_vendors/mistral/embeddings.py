"""Embeddings in Mistral's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mediaconduit_vendors.openai.embeddings import Embeddings
from mediaconduit_vendors.openai.options import Schema


class MistralEmbeddings(Embeddings):
    """``POST /embeddings``; only models for code take fewer dimensions or other numbers."""

    options: ClassVar[Mapping[str, Schema]] = {
        **Embeddings.options,
        "extra.output_dtype": {"enum": ["float", "int8", "uint8", "binary", "ubinary"]},
    }
    fields: ClassVar[Mapping[str, str]] = {"embedding.dimensions": "output_dimension"}
    encoding: ClassVar[str] = ""
