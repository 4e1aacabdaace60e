"""Mistral's models by what its list says they can do, and by what the price file knows of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from mediaconduit_provider import InputSpec

from mediaconduit_vendors.kinds import TEXT, Kind, chat_kind
from mediaconduit_vendors.mistral.chat import CHAT_OPTIONS, REASONING_OPTIONS, MistralChat
from mediaconduit_vendors.mistral.embeddings import MistralEmbeddings
from mediaconduit_vendors.mistral.ocr import DOCUMENTS, Ocr
from mediaconduit_vendors.mistral.speech import MistralSpeech
from mediaconduit_vendors.mistral.transcription import MistralTranscription
from mediaconduit_vendors.openai.kinds import embedding_kind
from mediaconduit_vendors.prices import Listing
from mediaconduit_vendors.provider import VendorModel

_CHAT: Final = MistralChat()
_OCR: Final = Ocr()
_SPEECH: Final = MistralSpeech()
_TRANSCRIPTION: Final = MistralTranscription()
_KINDS: Final[Mapping[str, Kind]] = {
    "embedding": embedding_kind(MistralEmbeddings()),
    "ocr": Kind(
        {"image-to-text": _OCR},
        options=_OCR.options,
        inputs=(InputSpec(media_types=("image/*", *DOCUMENTS, *TEXT.media_types), required=True),),
        output_media_types=("text/plain", "application/json"),
        features=("pdf-input", "json-schema"),
    ),
    "audio_speech": Kind(
        {"text-to-audio": _SPEECH},
        options=_SPEECH.options,
        inputs=(TEXT, InputSpec("voice", media_types=("audio/*",))),
        output_media_types=tuple(_SPEECH.formats),
        features=("streaming", "voice-cloning"),
    ),
    "audio_transcription": Kind(
        {"audio-to-text": _TRANSCRIPTION},
        options=_TRANSCRIPTION.options,
        inputs=(InputSpec(media_types=("audio/*", "video/mp4", "video/webm"), required=True),),
        output_media_types=("text/plain",),
        features=("streaming", "word-times"),
    ),
}
"""By mode of the price file, but for chats."""
_FEATURES: Final = {"function_calling": "tools", "vision": "vision", "audio": "audio-input"}
"""Features by the capabilities of Mistral's list."""
_FINE_TUNED: Final = "ft:"


def model_of(
    model_id: str, listing: Listing | None, capabilities: Mapping[str, Any] | None = None, **facts: Any
) -> VendorModel | None:
    """A model; None for one that is used in no way known here.

    Args:
        model_id: The vendor's.
        listing: What the price file says of it.
        capabilities: What Mistral's list says of it; None where it was not asked.
        facts: As those of `Kind.model`.
    """
    if "realtime" in model_id:
        return None  # spoken to over another protocol
    can = capabilities or {}
    mode = mode_of(model_id, listing, can)
    if mode == "chat":
        features = _features(model_id, listing, can)
        options = REASONING_OPTIONS if "reasoning" in features else CHAT_OPTIONS
        return chat_kind(_CHAT, options, features).model(model_id, listing, **{**facts, "features": features})
    kind = _KINDS.get(mode)
    return kind.model(model_id, listing, **facts) if kind is not None else None


def mode_of(model_id: str, listing: Listing | None, can: Mapping[str, Any]) -> str:
    """What a model is for, in the words of the price file; empty where nothing says so."""
    if listing is not None and listing.mode:
        return listing.mode
    if "-ocr" in model_id:
        return "ocr"
    if can.get("audio_speech") or "-tts" in model_id:
        return "audio_speech"
    if "-transcribe" in model_id or (can.get("audio_transcription") and not can.get("completion_chat")):
        return "audio_transcription"
    if can.get("completion_chat"):
        return "chat"
    return "embedding" if "embed" in model_id else ""


def entry_facts(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What Mistral's list says of a model beside its capabilities. Its "created" is when it was asked."""
    return {
        "display_name": entry.get("name") or "",
        "description": entry.get("description") or "",
        "context_tokens": entry.get("max_context_length") or 0,
        "retires": _moment(entry.get("deprecation")),
    }


def base_of(entry: Mapping[str, Any]) -> str:
    """The id to look a model up by: of one that was fine-tuned, what it came from."""
    return str(entry.get("root") or entry["id"]) if str(entry["id"]).startswith(_FINE_TUNED) else str(entry["id"])


def _features(model_id: str, listing: Listing | None, can: Mapping[str, Any]) -> list[str]:
    """Features of a chat: as Mistral's list says them, the others by the price file."""
    listed = listing.features if listing is not None else ()
    told = [feature for capability, feature in _FEATURES.items() if can.get(capability)]
    known = [feature for feature in listed if not can or feature not in _FEATURES.values()]
    features = {"json-schema", *told, *known}
    if "tools" in features:
        features.add("parallel-tools")
    if "vision" in features:
        features.add("pdf-input")
    if "magistral" in model_id:
        features.add("reasoning")
    return sorted(features)


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
