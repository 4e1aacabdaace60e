"""Embeddings."""

from __future__ import annotations

import base64
import sys
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mediaconduit_provider import Call, Embedding, Usage

from mediaconduit_vendors.api import Api
from mediaconduit_vendors.content import text_items
from mediaconduit_vendors.openai.operation import Operation, Outputs, facts_of
from mediaconduit_vendors.openai.options import Schema
from mediaconduit_vendors.reply import not_understood
from mediaconduit_vendors.usage import usage_of


class Embeddings(Operation):
    """``POST /embeddings``: one vector for each of the caller's turns."""

    path: ClassVar[str] = "/embeddings"
    options: ClassVar[Mapping[str, Schema]] = {"embedding.dimensions": {"type": "integer", "minimum": 1}}
    fields: ClassVar[Mapping[str, str]] = {"embedding.dimensions": "dimensions"}
    places: ClassVar[Mapping[str, str]] = {"input": "turns"}
    encoding: ClassVar[str] = "base64"
    """``encoding_format``: a third of the bytes of "float"; empty for vendors that do not have it."""

    async def __call__(self, api: Api, call: Call) -> Outputs:
        """The vectors, in the order of the turns."""
        answer, reply = await api.json(self.asked(call, json=self.request(call)))
        yield facts_of(answer, reply)
        try:
            entries = sorted(answer["data"], key=lambda entry: entry.get("index") or 0)
            vectors = [
                Embedding(values=values_of(entry["embedding"]), input=number) for number, entry in enumerate(entries)
            ]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise not_understood("it holds no vectors") from error
        for vector in vectors:
            yield vector
        yield self.usage(answer, call)

    def request(self, call: Call) -> dict[str, Any]:
        """The body."""
        encoding = {"encoding_format": self.encoding} if self.encoding else {}
        return {"model": self.model_name(call), "input": text_items(call), **encoding, **self.passed_on(call)}

    def usage(self, answer: Mapping[str, Any], call: Call) -> Usage:
        """Tokens read."""
        usage = answer.get("usage") or {}
        read = usage.get("prompt_tokens") or usage.get("total_tokens") or 0
        return usage_of({"input-token": read}, call.model.pricing, charged=usage.get("cost"))


def values_of(vector: str | Sequence[float]) -> Sequence[float]:
    """A vector as vendors write it: numbers, or little-endian floats of 32 bits in base64."""
    if not isinstance(vector, str):
        return vector
    values = array("f", base64.b64decode(vector, validate=True))
    if sys.byteorder == "big":
        values.byteswap()
    return values
