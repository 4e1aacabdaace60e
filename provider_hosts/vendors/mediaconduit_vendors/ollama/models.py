"""Models on the machine: listed, described, fetched, removed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final

from mediaconduit_provider import InputSpec, ModelState, Pricing, PullProgress

from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.kinds import Kind, chat_kind
from mediaconduit_vendors.ollama.embeddings import embed
from mediaconduit_vendors.ollama.options import COMPLETION, EMBEDDING, TEXT, THINKING, TOOLS
from mediaconduit_vendors.ollama.text import text
from mediaconduit_vendors.provider import VendorModel

_FEATURES: Final = {"tools": "tools", "vision": "vision", "thinking": "reasoning"}
"""Ollama's words for what a model can do, and ours."""
_DEGREES: Final = ("gptoss", "gpt-oss")
"""Families whose thinking has degrees."""
_AT_ONCE: Final = 8
"""Models that are asked about at the same time."""

EMBEDDER: Final = Kind(
    {"text-to-embedding": embed}, EMBEDDING, inputs=(InputSpec(media_types=("text/*", "application/json")),)
)


async def discover(api: Api) -> Sequence[VendorModel]:
    """All models on the machine, each with what it can do."""
    (listed, _), (running, _) = await asyncio.gather(
        api.json(Request("GET", "/api/tags")), api.json(Request("GET", "/api/ps"))
    )
    loaded = {entry.get("model") or entry.get("name") for entry in running.get("models") or ()}
    places = asyncio.Semaphore(_AT_ONCE)

    async def described(entry: Mapping[str, Any]) -> VendorModel | None:
        async with places:
            name = entry.get("model") or entry.get("name") or ""
            shown, _ = await api.json(Request("POST", "/api/show", json={"model": name}, shared=True))
            return model_of(name, entry, shown, loaded=name in loaded)

    found = await asyncio.gather(*(described(entry) for entry in listed.get("models") or ()))
    return [model for model in found if model is not None]


def model_of(
    name: str, entry: Mapping[str, Any], shown: Mapping[str, Any], *, loaded: bool = False
) -> VendorModel | None:
    """A model by what ``/api/tags`` and ``/api/show`` say of it; None for one that does nothing of ours."""
    abilities = shown.get("capabilities") or ()
    details, info = entry.get("details") or shown.get("details") or {}, shown.get("model_info") or {}
    if "embedding" in abilities:
        kind = EMBEDDER
    elif "completion" in abilities or not abilities:
        kind = _talker(abilities, details.get("family") or "")
    else:
        return None
    installed = ModelState.MODEL_STATE_LOADED if loaded else ModelState.MODEL_STATE_INSTALLED
    # A model in the vendor's cloud is neither on the machine nor known to be free.
    facts: dict[str, Any] = {} if entry.get("remote_host") else {"state": installed, "pricing": Pricing()}
    return kind.model(
        name,
        description=" ".join(filter(None, (details.get("parameter_size"), details.get("quantization_level")))),
        context_tokens=info.get(f"{info.get('general.architecture')}.context_length") or 0,
        **facts,
    )


def _talker(abilities: Sequence[str], family: str) -> Kind:
    features = [_FEATURES[ability] for ability in abilities if ability in _FEATURES]
    options = {
        **TEXT,
        **COMPLETION,
        **(TOOLS if "tools" in features else {}),
        **(THINKING if "reasoning" in features else {}),
    }
    if family.lower() in _DEGREES:
        features.append("reasoning-effort")
    return chat_kind(text, options, [*features, "json-schema", "logprobs"])


async def pull(api: Api, name: str) -> AsyncGenerator[PullProgress, None]:
    """``POST /api/pull``: fetches a model; how far, layer by layer."""
    request = Request("POST", "/api/pull", json={"model": name, "stream": True}, fields={"model": "name"})
    layers: dict[str, tuple[int, int]] = {}
    async with api.open(request) as reply, aclosing(reply.lines()) as lines:
        async for line in lines:
            if "error" in line:
                raise reply.failure(line)
            if digest := line.get("digest"):
                layers[digest] = (line.get("completed") or 0, line.get("total") or 0)
            done, total = (sum(counts) for counts in zip(*layers.values(), strict=True)) if layers else (0, 0)
            yield PullProgress(_stage(line.get("status") or ""), done, total, line.get("status") or "")


def _stage(status: str) -> str:
    if "manifest" in status:
        return "manifest"
    return "verify" if "verify" in status else "download" if status.startswith("pull") else status


async def delete(api: Api, name: str) -> None:
    """``DELETE /api/delete``: removes a model from the machine."""
    async with api.open(Request("DELETE", "/api/delete", json={"model": name})) as reply:
        await reply.read()
