"""Vectors."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from mediaconduit_provider import Call, Embedding, Facts
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.content import text_items
from mediaconduit_vendors.ollama.options import engine_options
from mediaconduit_vendors.reply import not_understood
from mediaconduit_vendors.usage import usage_of


async def embed(api: Api, call: Call) -> AsyncGenerator[Yielded, None]:
    """``POST /api/embed``: one vector for each of the caller's turns."""
    dimensions, truncate = call.option("embedding.dimensions"), call.option("extra.truncate")
    body = {
        "model": call.model.id,
        "input": text_items(call),
        **({"dimensions": dimensions} if dimensions else {}),
        **({"truncate": truncate} if truncate is not None else {}),
        **engine_options(call),
    }
    answer, _ = await api.json(Request("POST", "/api/embed", json=body, remaining=call.remaining()))
    yield Facts(vendor_model=answer.get("model") or "")
    vectors = answer.get("embeddings")
    if not isinstance(vectors, list):
        raise not_understood("it holds no vectors")
    for number, values in enumerate(vectors):
        yield Embedding(values=values, input=number)
    yield usage_of({"input-token": answer.get("prompt_eval_count") or 0}, charged=0)
