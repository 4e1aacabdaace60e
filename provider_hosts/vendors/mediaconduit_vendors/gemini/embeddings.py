"""Vectors: ``:batchEmbedContents``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final

from mediaconduit_provider import Call, Embedding, Facts
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.api import Api
from mediaconduit_vendors.content import items_of
from mediaconduit_vendors.gemini.contents import Contents
from mediaconduit_vendors.gemini.generate import asked
from mediaconduit_vendors.gemini.usage import units_of
from mediaconduit_vendors.options import Schema
from mediaconduit_vendors.reply import not_understood
from mediaconduit_vendors.usage import estimated_usage, usage_of

BATCH: Final = 100
"""Items in one request at most."""
_PURPOSES: Final = {"query": "RETRIEVAL_QUERY", "document": "RETRIEVAL_DOCUMENT"}
_TASKS: Final = (
    "RETRIEVAL_QUERY",
    "RETRIEVAL_DOCUMENT",
    "SEMANTIC_SIMILARITY",
    "CLASSIFICATION",
    "CLUSTERING",
    "QUESTION_ANSWERING",
    "FACT_VERIFICATION",
    "CODE_RETRIEVAL_QUERY",
)
OPTIONS: Final[Mapping[str, Schema]] = {
    "embedding.dimensions": {"type": "integer", "minimum": 1},
    "embedding.purpose": {"enum": [*_PURPOSES, *_TASKS]},
    "extra.title": {"type": "string", "description": "Title of the document, for vectors to be searched."},
}


class Embeddings:
    """One vector for each of the caller's turns."""

    async def __call__(self, api: Api, call: Call) -> AsyncGenerator[Yielded, None]:
        """The vectors, in the order of the turns."""
        contents = Contents(call, api)
        try:
            async with aclosing(self._embedded(api, call, contents)) as outputs:
                async for output in outputs:
                    yield output
        finally:
            await contents.files.forget()

    async def _embedded(self, api: Api, call: Call, contents: Contents) -> AsyncGenerator[Yielded, None]:
        requests = [
            {**self._common(call), "content": {"parts": [part async for part in _parts(contents, where, turn.parts)]}}
            for where, turn in items_of(call)
        ]
        counted: dict[str, int] = {}
        number = 0
        for some in _batches(requests):
            answer, reply = await api.json(asked(call, "batchEmbedContents", {"requests": some}, contents))
            yield Facts(vendor_request_id=reply.request_id)
            vectors = answer.get("embeddings")
            if not isinstance(vectors, list) or len(vectors) != len(some):
                raise not_understood("it holds no vector for each item")
            for vector in vectors:
                yield Embedding(values=vector.get("values") or (), input=number)
                number += 1
            usage = answer.get("usageMetadata") or {}
            details = usage.get("promptTokenDetails")
            for unit, count in units_of({**usage, "promptTokensDetails": details}).items():
                counted[unit] = counted.get(unit, 0) + count
        if any(counted.values()):
            yield usage_of(counted, call.model.pricing)
        else:
            read = sum(len(part.text) for turn in call.turns for part in turn.parts)
            yield estimated_usage(read, 0, call.model.pricing)

    def _common(self, call: Call) -> dict[str, Any]:
        """What all items have in common."""
        purpose = call.options.embedding.purpose
        common = {
            "model": f"models/{call.model.id}",
            "taskType": _PURPOSES.get(purpose, purpose) or None,
            "outputDimensionality": call.option("embedding.dimensions"),
            "title": call.option("extra.title"),
        }
        return {name: value for name, value in common.items() if value is not None}


async def _parts(contents: Contents, where: str, parts: Any) -> AsyncGenerator[dict[str, Any], None]:
    for index, part in enumerate(parts):
        if (piece := await contents.piece(part, f"{where}.parts[{index}]")) is not None:
            yield piece


def _batches(requests: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    return [requests[start : start + BATCH] for start in range(0, len(requests), BATCH)]
