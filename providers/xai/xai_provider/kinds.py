"""xAI's models as it lists them: four lists, each of models that are used alike."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from mediaconduit_provider import InputSpec, Pricing, Rate
from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.kinds import TEXT, Kind, chat_kind
from mediaconduit_vendors.openai.embeddings import Embeddings
from mediaconduit_vendors.openai.kinds import speech_kind
from mediaconduit_vendors.openai.text import Text
from mediaconduit_vendors.options import Schema
from mediaconduit_vendors.prices import Listing, ListingOf
from mediaconduit_vendors.provider import VendorModel

from xai_provider.chat import GrokChat, GrokResponses
from xai_provider.media import GrokImageEdits, GrokImages, GrokSpeech, GrokVideos


class GrokEmbeddings(Embeddings):
    """``POST /embeddings``, of one length."""

    options: ClassVar[Mapping[str, Schema]] = {}
    fields: ClassVar[Mapping[str, str]] = {}


_TEXT: Final = Text(GrokChat(), GrokResponses())
_RESPONSES: Final = GrokResponses()
_EMBEDDINGS: Final = GrokEmbeddings()
_IMAGES, _EDITS, _VIDEOS = GrokImages(), GrokImageEdits(), GrokVideos()
_PICTURES: Final = ("text/*", "image/jpeg", "image/png")

EMBEDDER: Final = Kind({"text-to-embedding": _EMBEDDINGS}, inputs=(TEXT,))
PAINTER: Final = Kind(
    {"text-to-image": _IMAGES, "image-to-image": _EDITS},
    options={**_EDITS.options, **_IMAGES.options},
    inputs=(InputSpec(media_types=_PICTURES),),
    output_media_types=_IMAGES.media_types,
)
FILMMAKER: Final = Kind(
    dict.fromkeys(("text-to-video", "image-to-video", "video-to-video"), _VIDEOS),
    options=_VIDEOS.options,
    inputs=(InputSpec(media_types=(*_PICTURES, "video/mp4")),),
    output_media_types=("video/mp4",),
)
SPEECH: Final = speech_kind(GrokSpeech()).model("tts", display_name="Text to speech")
"""xAI's speech has no model to name; this is its path."""

_LISTS: Final = ("language-models", "embedding-models", "image-generation-models", "video-generation-models")
_CENTS: Final = 10_000_000
"""Billionths of a dollar in a cent."""
_TOKENS: Final = 100_000_000
"""xAI's prices are cents for so many tokens (docs.x.ai, GET /v1/language-models; its description says otherwise)."""
_PRICES: Final = {
    "prompt_text_token_price": "input-token",
    "cached_prompt_text_token_price": "cached-input-token",
    "completion_text_token_price": "output-token",
}


async def discover(api: Api, listing_of: ListingOf) -> Sequence[VendorModel]:
    """All models the key may use."""
    answers = await asyncio.gather(*(api.json(Request("GET", f"/{name}")) for name in _LISTS))
    found = [
        model_of(name, entry, listing_of)
        for name, (answer, _) in zip(_LISTS, answers, strict=True)
        for entry in answer.get("models") or ()
    ]
    return [*found, SPEECH]


def model_of(list_name: str, entry: Mapping[str, Any], listing_of: ListingOf) -> VendorModel:
    """A model of one of the lists."""
    model_id = entry["id"]
    listing = listing_of(model_id)
    created = entry.get("created")
    return _kind(list_name, entry, listing).model(
        model_id,
        listing,
        pricing=pricing_of(entry),
        context_tokens=entry.get("context_length") or 0,
        released=datetime.fromtimestamp(created, UTC) if created else None,
    )


def _kind(list_name: str, entry: Mapping[str, Any], listing: Listing | None) -> Kind:
    match list_name:
        case "embedding-models":
            return EMBEDDER
        case "image-generation-models":
            return PAINTER
        case "video-generation-models":
            return FILMMAKER
    known = listing.features if listing is not None else ("tools", "json-schema")
    seen = ("vision",) if "image" in (entry.get("input_modalities") or ()) else ()
    features = tuple(dict.fromkeys((*(each for each in known if each != "vision"), *seen)))
    return _talker(features, listing)


def _talker(features: Sequence[str], listing: Listing | None) -> Kind:
    operation = _RESPONSES if listing is not None and listing.mode == "responses" else _TEXT
    return chat_kind(operation, operation.options, features)


def pricing_of(entry: Mapping[str, Any]) -> Pricing | None:
    """The prices xAI states; None where it states none. Long contexts cost more, from where it says."""
    rates = []
    for field, unit in _PRICES.items():
        if entry.get(field):
            rates.append(Rate(unit=unit, nano_price=entry[field] * _CENTS, per=_TOKENS))
        if (dearer := entry.get(f"{field}_long_context")) and (threshold := entry.get("long_context_threshold")):
            conditions = {"min-input-tokens": str(threshold)}
            rates.append(Rate(unit=unit, nano_price=dearer * _CENTS, per=_TOKENS, conditions=conditions))
    return Pricing(currency="USD", rates=rates, source="vendor-api") if rates else None


def known(ids: Iterable[str], listing_of: ListingOf) -> list[VendorModel]:
    """Those with a price."""
    found = (known_model(model_id, listing_of) for model_id in ids)
    return [*(model for model in found if model is not None), SPEECH]


def known_model(model_id: str, listing_of: ListingOf) -> VendorModel | None:
    """A model without asking xAI; None for one of an unknown kind."""
    if model_id == SPEECH.id:
        return SPEECH
    if (listing := listing_of(model_id)) is None:
        return None
    match listing.mode:
        case "chat" | "responses":
            return _talker(listing.features, listing).model(model_id, listing)
        case "image_generation":
            return PAINTER.model(model_id, listing)
        case "video_generation":
            return FILMMAKER.model(model_id, listing)
        case "embedding":
            return EMBEDDER.model(model_id, listing)
    return None
