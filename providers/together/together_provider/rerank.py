"""Ranking: how well texts answer a question."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from mediaconduit_provider import Call, InvalidRequestError, Score, Scores, Turn
from mediaconduit_vendors.api import Api
from mediaconduit_vendors.content import items_of, media_type_of, text_in
from mediaconduit_vendors.openai.operation import Operation, Outputs, facts_of
from mediaconduit_vendors.options import Schema
from mediaconduit_vendors.reply import not_understood
from mediaconduit_vendors.usage import estimated_usage, usage_of

QUERY = "query"
"""The name of the input that asks."""


class Rerank(Operation):
    """``POST /v1/rerank``: the caller's turns by how well they answer the input "query", best first.

    Turns are texts, or all of them objects (application/json), of which ``extra.rank_fields`` count.
    """

    path: ClassVar[str] = "/rerank"
    options: ClassVar[Mapping[str, Schema]] = {
        "extra.top_n": {"type": "integer", "minimum": 1},
        "extra.rank_fields": {"type": "array", "items": {"type": "string"}},
    }
    places: ClassVar[Mapping[str, str]] = {"query": "turns", "documents": "turns"}

    async def __call__(self, api: Api, call: Call) -> Outputs:
        """The scores."""
        query, documents = query_of(call), documents_of(call)
        body = {
            "model": self.model_name(call),
            "query": query,
            "documents": list(documents.values()),
            "return_documents": False,
            **self.passed_on(call),
        }
        answer, reply = await api.json(self.asked(call, json=body))
        yield facts_of(answer, reply)
        items = list(documents)
        try:
            scores = [
                Score(input=items[result["index"]], value=result["relevance_score"]) for result in answer["results"]
            ]
        except (KeyError, TypeError, IndexError) as error:
            raise not_understood("it holds no ranks") from error
        yield Scores(scores=sorted(scores, key=lambda score: -score.value))
        if read := (answer.get("usage") or {}).get("total_tokens"):
            yield usage_of({"input-token": read}, call.model.pricing)
        else:
            yield estimated_usage(len(query) + sum(map(len, map(str, documents.values()))), 0, call.model.pricing)


def query_of(call: Call) -> str:
    """What is asked."""
    if query := call.input(QUERY).text.strip():
        return query
    raise InvalidRequestError.at(call.input(QUERY).field, "the query is a text")


def documents_of(call: Call) -> dict[int, Any]:
    """What is judged, by the number of its turn. A turn with nothing but the query is none."""
    found = {
        number: document for number, (where, turn) in enumerate(items_of(call)) if (document := _read(turn, where))
    }
    if not found:
        raise InvalidRequestError.at("turns", "there is nothing to rank: each text is a turn of its own")
    if len({isinstance(document, str) for document in found.values()}) > 1:
        raise InvalidRequestError.at("turns", "rank either texts or objects, and not both at once")
    return found


def _read(turn: Turn, where: str) -> Any:
    """A turn's text, or its object; empty for one that has neither."""
    parts = [part for part in turn.parts if not part.name]
    if any(part.WhichOneof("content") not in ("text", "data") for part in parts):
        raise InvalidRequestError.at(where, "must be text or JSON")
    if len(parts) == 1 and media_type_of(parts[0]) == "application/json":
        try:
            document = json.loads(parts[0].text or parts[0].data)
        except ValueError:
            raise InvalidRequestError.at(f"{where}.parts[0]", "is not JSON") from None
        if isinstance(document, dict):
            return document
    return "\n".join(filter(None, map(text_in, parts)))
