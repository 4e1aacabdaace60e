"""Together's models by the type it lists them with; those that speak by its list of voices."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from mediaconduit_provider import InputSpec, Pricing, Rate
from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.kinds import TEXT, Kind, chat_kind
from mediaconduit_vendors.openai.compatible import guessed_features
from mediaconduit_vendors.openai.kinds import embedding_kind, speech_kind, transcription_kind
from mediaconduit_vendors.prices import Listing, ListingOf
from mediaconduit_vendors.provider import VendorModel

from together_provider.audio import RatedSpeech, TogetherSpeech, TogetherTranscription
from together_provider.chat import Completions, TogetherChat
from together_provider.embeddings import TogetherEmbeddings
from together_provider.media import TogetherImages, TogetherVideos
from together_provider.rerank import QUERY, Rerank
from together_provider.vendor import V1

WHISPER: Final = "openai/whisper-large-v3"
"""The one model its description has for recognition; it is in no list there."""
_V1: Final = V1()
_CHAT, _COMPLETIONS, _IMAGES, _VIDEOS = TogetherChat(_V1), Completions(_V1), TogetherImages(_V1), TogetherVideos()
_RERANK: Final = Rerank(_V1)
_PICTURES: Final = ("image/png", "image/jpeg", "image/webp")
_MOVIES: Final = ("video/mp4", "video/webm")

_KINDS: Final[Mapping[str, Kind]] = {
    "embedding": embedding_kind(TogetherEmbeddings(_V1)),
    "transcribe": transcription_kind(TogetherTranscription(_V1)),
    "completion": Kind(
        {"text-to-text": _COMPLETIONS},
        options=_COMPLETIONS.options,
        inputs=(TEXT,),
        output_media_types=("text/plain",),
        features=("streaming",),
    ),
    "image": Kind(
        {"text-to-image": _IMAGES, "image-to-image": _IMAGES},
        options=_IMAGES.options,
        inputs=(
            InputSpec(media_types=("text/*", *_PICTURES), max_count=16),
            InputSpec("reference", media_types=_PICTURES, max_count=16),
        ),
        output_media_types=_IMAGES.media_types,
    ),
    "rerank": Kind(
        {"text-to-scores": _RERANK},
        options=_RERANK.options,
        inputs=(TEXT, InputSpec(QUERY, media_types=("text/*",), required=True)),
    ),
    "video": Kind(
        dict.fromkeys(("text-to-video", "image-to-video", "video-to-video"), _VIDEOS),
        options=_VIDEOS.options,
        inputs=(
            InputSpec(media_types=("text/*", *_PICTURES, *_MOVIES), max_count=16),
            InputSpec("first-frame", media_types=_PICTURES),
            InputSpec("last-frame", media_types=_PICTURES),
            InputSpec("reference", media_types=(*_PICTURES, *_MOVIES), max_count=16),
            InputSpec("audio", media_types=("audio/*",), max_count=16),
        ),
        output_media_types=tuple(_VIDEOS.formats),
    ),
}
"""Models that are used alike, by type."""
_TYPES: Final[Mapping[str, str]] = {
    "language": "completion",
    "code": "completion",
    "moderation": "completion",
    "transcription": "transcribe",
    "speech": "audio",
    "audio_speech": "audio",
    "audio_transcription": "transcribe",
    "image_generation": "image",
    "video_generation": "video",
}
"""Other words for types: Together's, and those of price files."""
_BY_TOKENS: Final = frozenset({"chat", "completion", "embedding", "rerank"})
"""Types whose price is that of a million tokens."""
_ANY_RATE: Final = ("cartesia/", "minimax")
"""Whose models speak at any rate, as the description of ``sample_rate`` says; lower case."""


async def discover(api: Api, listing_of: ListingOf) -> Sequence[VendorModel]:
    """All models the key may use, and those that have voices."""
    (listed, _), voices = await asyncio.gather(api.json(Request("GET", "/v1/models")), voices_by_model(api))
    entries = [entry for entry in listed_in(listed) if entry.get("id")]
    known = {entry["id"] for entry in entries}
    entries += [{"id": model_id, "type": "audio"} for model_id in voices if model_id not in known]
    if not any(_type(entry.get("type")) == "transcribe" for entry in entries):
        entries.append({"id": WHISPER, "type": "transcribe"})
    found = (model_of(entry, listing_of(entry["id"]), voices) for entry in entries)
    return [model for model in found if model is not None]


async def voices_by_model(api: Api) -> dict[str, list[Mapping[str, Any]]]:
    """The voices each speaking model has."""
    answer, _ = await api.json(Request("GET", "/v1/voices"))
    return {
        entry["model"]: [voice for voice in entry.get("voices") or () if voice and voice.get("name")]
        for entry in listed_in(answer)
        if entry.get("model")
    }


def listed_in(answer: Any) -> list[Mapping[str, Any]]:
    """The entries of a list, which stands alone or in "data"."""
    entries = answer.get("data") if isinstance(answer, Mapping) else answer
    return [entry for entry in entries or () if isinstance(entry, Mapping)]


def model_of(
    entry: Mapping[str, Any], listing: Listing | None, voices: Mapping[str, Sequence[Mapping[str, Any]]]
) -> VendorModel | None:
    """A model of the list; None for one of a type that is used in no way known here."""
    model_id = entry["id"]
    kind_name = _type(entry.get("type") or ("audio" if model_id in voices else ""))
    kind = _kind(kind_name, model_id, listing, voices.get(model_id) or ())
    if kind is None:
        return None
    created = entry.get("created")
    return kind.model(
        model_id,
        listing,
        display_name=entry.get("display_name") or "",
        pricing=pricing_of(entry, kind_name, listing),
        context_tokens=entry.get("context_length") or 0,
        released=datetime.fromtimestamp(created, UTC) if created else None,
    )


def _type(stated: Any) -> str:
    return _TYPES.get(str(stated), str(stated or ""))


def _kind(name: str, model_id: str, listing: Listing | None, voices: Sequence[Mapping[str, Any]]) -> Kind | None:
    if name == "chat":
        return chat_kind(_CHAT, _CHAT.options, _features(model_id, listing))
    if name == "audio":
        speech = RatedSpeech if model_id.lower().startswith(_ANY_RATE) else TogetherSpeech
        return speech_kind(speech(voices[0]["name"] if voices else "", _V1))
    return _KINDS.get(name)


def _features(model_id: str, listing: Listing | None) -> tuple[str, ...]:
    """What is known; else what the name tells: Together's list says nothing of it."""
    known = listing.features if listing is not None else ()
    guessed = guessed_features(model_id)
    return tuple(dict.fromkeys((*known, *(each for each in guessed if not known or each in ("vision", "reasoning")))))


def pricing_of(entry: Mapping[str, Any], kind_name: str, listing: Listing | None) -> Pricing | None:
    """The prices Together states: of a million tokens. None where it states none.

    All zero says nothing (models that are rented by the hour have that too) but where the name says "Free". A price
    file that agrees knows more: what is cached costs less.
    """
    if entry["id"].endswith(("-Free", ":free")):
        return Pricing(currency="USD", source="vendor-api")
    stated = entry.get("pricing") or {}
    prices = {"input-token": stated.get("input"), "output-token": stated.get("output")}
    if kind_name not in _BY_TOKENS or not any(prices.values()):
        return None
    rates = [
        Rate(unit=unit, nano_price=round(Decimal(str(price)) * 10**9), per=1_000_000)
        for unit, price in prices.items()
        if price is not None
    ]
    if listing is not None and listing.pricing is not None and _agree(listing.pricing, rates):
        return listing.pricing
    return Pricing(currency="USD", rates=rates, source="vendor-api")


def _agree(known: Pricing, stated: Sequence[Rate]) -> bool:
    found = {rate.unit: rate.nano_price / (rate.per or 1) for rate in known.rates if not rate.conditions}
    return all(abs(found.get(rate.unit, -1) - rate.nano_price / rate.per) < 1e-6 for rate in stated)


def known(ids: Iterable[str], listing_of: ListingOf) -> list[VendorModel]:
    """Those with a price, and those that are described."""
    found = (known_model(model_id, listing_of) for model_id in (*ids, WHISPER))
    return [model for model in found if model is not None]


def known_model(model_id: str, listing_of: ListingOf) -> VendorModel | None:
    """A model without asking Together; None for one of an unknown kind."""
    listing = listing_of(model_id)
    stated = "transcribe" if model_id == WHISPER else listing.mode if listing is not None else ""
    return model_of({"id": model_id, "type": stated}, listing, {})
