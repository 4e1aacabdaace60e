"""Which models there are: the router's list for conversations, the hub for everything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from mediaconduit.errors import MediaConduitError
from mediaconduit_provider import InputSpec, Pricing, Rate
from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.kinds import TEXT, Kind, chat_kind
from mediaconduit_vendors.provider import VendorModel

from huggingface_provider.chat import ReasoningChat, RouterChat
from huggingface_provider.tasks import EMBEDDING, IMAGE, SPEECH, TRANSCRIPT, embed, picture, speech, transcribe

_CHAT, _REASONING = RouterChat(), ReasoningChat()
_PAINTER: Final = Kind({"text-to-image": picture}, IMAGE, (TEXT,), ("image/jpeg", "image/png", "image/webp"))
_SPEAKER: Final = Kind({"text-to-audio": speech}, SPEECH, (TEXT,), ("audio/flac", "audio/wav", "audio/mpeg"))
_LISTENER: Final = Kind(
    {"audio-to-text": transcribe}, TRANSCRIPT, (InputSpec(media_types=("audio/*",)),), ("text/plain",)
)
_EMBEDDER: Final = Kind({"text-to-embedding": embed}, EMBEDDING, (TEXT,))

TASKS: Final[Mapping[str, Kind]] = {
    "text-to-image": _PAINTER,
    "text-to-speech": _SPEAKER,
    "text-to-audio": _SPEAKER,
    "automatic-speech-recognition": _LISTENER,
    "feature-extraction": _EMBEDDER,
    "sentence-similarity": _EMBEDDER,
    "text-generation": chat_kind(_CHAT, _CHAT.options, ("tools", "json-schema")),
    "image-text-to-text": chat_kind(_CHAT, _CHAT.options, ("tools", "json-schema", "vision")),
}
"""How models are used, by the task the hub says they are for ("pipeline_tag")."""


async def discover(api: Api) -> Sequence[VendorModel]:
    """What the router has: every model, and every model at each of its providers.

    ``GET /v1/models`` needs no key, so that it is asked about by itself; that costs nothing.
    """
    if api.key:
        await api.json(Request("GET", f"{hub_of(api)}/api/whoami-v2", headers=api.vendor.authorise(api.key)))
    listed, _ = await api.json(Request("GET", "/v1/models"))
    return [model for entry in listed.get("data") or () for model in _variants(entry)]


def hub_of(api: Api) -> str:
    """The hub: beside the router at Hugging Face, and at the same address elsewhere."""
    return api.base_url.replace("://router.", "://", 1)


def _variants(entry: Mapping[str, Any]) -> Iterator[VendorModel]:
    live = [each for each in entry.get("providers") or () if (each.get("status") or "live") == "live"]
    prices = {str(each.get("pricing")) for each in live}
    # The router chooses among them: what is true of all is true of the model.
    same = len(prices) == 1
    yield _model(entry, entry["id"], live, _pricing(live[0]) if live and same else None)
    for each in live:
        yield _model(entry, f"{entry['id']}:{each['provider']}", [each], _pricing(each))


def _model(
    entry: Mapping[str, Any], model_id: str, providers: Sequence[Mapping[str, Any]], pricing: Pricing | None
) -> VendorModel:
    modalities = (entry.get("architecture") or {}).get("input_modalities") or ("text",)
    features = [
        *(["tools"] if any(each.get("supports_tools") for each in providers) else []),
        *(["json-schema"] if any(each.get("supports_structured_output") for each in providers) else []),
        *(["vision"] if "image" in modalities else []),
    ]
    contexts = [each["context_length"] for each in providers if each.get("context_length")]
    created = entry.get("created")
    return chat_kind(_REASONING, _REASONING.options, features).model(
        model_id,
        pricing=pricing,
        context_tokens=min(contexts, default=0),
        released=datetime.fromtimestamp(created, UTC) if created else None,
    )


def _pricing(provider: Mapping[str, Any]) -> Pricing | None:
    """Dollars for a million tokens, where the provider's are known."""
    stated = provider.get("pricing") or {}
    rates = [
        Rate(unit=unit, nano_price=round(float(stated[name]) * 1e9), per=1_000_000)
        for name, unit in (("input", "input-token"), ("output", "output-token"))
        if stated.get(name) is not None
    ]
    return Pricing(currency="USD", rates=rates, source="vendor-api") if len(rates) == 2 else None


async def find(api: Api, model_id: str) -> VendorModel | None:
    """A model of the hub, used as the hub says; None for one that is not there, or for which there is no use here."""
    name, _, _ = model_id.partition(":")
    try:
        answer, _ = await api.json(Request("GET", f"{hub_of(api)}/api/models/{quote(name)}"))
    except MediaConduitError:
        return None
    kind = TASKS.get(answer.get("pipeline_tag") or "")
    return kind.model(model_id) if kind is not None else None
