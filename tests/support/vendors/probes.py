"""What is asked of a real vendor by whoever has a key: little, and of the cheapest models. A fraction of a cent."""

from __future__ import annotations

import os

import pytest
from mediaconduit.errors import MediaConduitError, Reason
from mediaconduit.v1.models_pb2 import Model
from mediaconduit_provider.testing import Served

MODEL = "MEDIACONDUIT_LIVE_MODEL"
"""Variable that names the model to talk to, by its bare id; without it the cheapest is taken."""
UNITS = ("input-token", "output-token")


async def discovers(served: Served) -> None:
    """The key is accepted, and there are models."""
    models = await served.client.models(refresh=True)
    assert models
    assert all(model.capabilities for model in models)


async def talks(served: Served) -> None:
    """A short answer, streamed, with what it took and the vendor's own name of the model."""
    model = await cheapest(served, "text-to-text")
    asked = "Answer with the one word: ready"
    result = await served.model(model).transform(asked, text={"max_output_tokens": 256}, lenient=True)
    assert "ready" in result.text.lower()
    assert result.usage.units
    assert result.provenance.vendor_model
    assert result.finishes


async def stops(served: Served) -> None:
    """Leaving a long answer ends it, and what it took is known."""
    model = await cheapest(served, "text-to-text")
    asked, options = "Count from 1 to 300 in words.", {"max_output_tokens": 2048}
    async with served.model(model).stream(asked, text=options, lenient=True) as stream:
        async for event in stream:
            if event.text:
                break
    async for batch in served.host.generations.watch(""):
        assert batch[-1].usage.units
        break


async def embeds(served: Served) -> None:
    """A text, a vector."""
    model = await cheapest(served, "text-to-embedding")
    result = await served.model(model).transform("one")
    assert len(result.embeddings) == 1
    assert result.embeddings[0].values


async def refuses(served: Served) -> None:
    """A model that does not exist is said not to."""
    with pytest.raises(MediaConduitError) as raised:
        await served.model("no-such-model-anywhere").transform("hi")
    assert raised.value.reason is Reason.MODEL_NOT_FOUND


async def cheapest(served: Served, capability: str) -> str:
    """The bare id of the model that costs least, or the one `MODEL` names; skips where there is none."""
    if named := os.environ.get(MODEL, ""):
        return named
    models = await served.client.models(capability)
    if not models:
        pytest.skip(f"no model for {capability}")
    return min(models, key=_price).name.partition("/models/")[2]


def _price(model: Model) -> tuple[float, str]:
    """Of a token in and one out; what has no price comes last."""
    if not model.HasField("pricing"):
        return (float("inf"), model.name)
    rates = [rate for rate in model.pricing.rates if rate.unit in UNITS and not rate.conditions]
    return (sum(rate.nano_price / (rate.per or 1) for rate in rates), model.name)
