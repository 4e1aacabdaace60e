"""The vendor's models: asked for in pages, used by the methods they are listed with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mediaconduit_provider import InputSpec

from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.gemini import embeddings, imagen, interactions, transcription, video
from mediaconduit_vendors.gemini.generate import Generate
from mediaconduit_vendors.gemini.images import Images
from mediaconduit_vendors.gemini.options import IMAGE, SPEECH, chat_options
from mediaconduit_vendors.gemini.speech import FORMATS, L16, WAV, Music, Speech
from mediaconduit_vendors.kinds import TEXT, Kind, chat_kind
from mediaconduit_vendors.prices import Listing
from mediaconduit_vendors.provider import VendorModel

_CHAT: Final = Generate()
_EVERYTHING: Final = ("audio-input", "json-schema", "parallel-tools", "pdf-input", "tools", "video-input", "vision")
"""Features of a Gemini that no price file knows yet."""
_PICTURES: Final = ("image/png", "image/jpeg", "image/webp", "image/heic", "image/heif")
_METHODS: Final = {
    "chat": "generateContent",
    "audio_speech": "generateContent",
    "audio_transcription": "generateContent",
    "embedding": "embedContent",
    "video_generation": "predictLongRunning",
}
"""Methods of models by their mode in the price file, where the vendor was not asked."""


async def listed(api: Api) -> list[Mapping[str, Any]]:
    """All entries of the vendor's list."""
    entries: list[Mapping[str, Any]] = []
    params: dict[str, Any] = {"pageSize": 1000}
    while True:
        page, _ = await api.json(Request("GET", "/models", params=params))
        entries += page.get("models") or ()
        if not page.get("nextPageToken"):
            return entries
        params["pageToken"] = page["nextPageToken"]


def model_of(model_id: str, entry: Mapping[str, Any] | None, listing: Listing | None) -> VendorModel | None:
    """A model, by what the vendor's list says of it and what is known without it; None for one of no use here.

    Args:
        model_id: The vendor's.
        entry: Of the vendor's list; None = not asked.
        listing: Of the price file.
    """
    entry = entry or {}
    kind = _kind(model_id, entry, listing)
    if kind is None:
        return None
    limit, written = entry.get("inputTokenLimit") or 0, entry.get("outputTokenLimit") or 0
    return kind.model(
        model_id,
        listing,
        display_name=entry.get("displayName") or "",
        description=entry.get("description") or "",
        context_tokens=limit,
        max_output_tokens=written,
    )


def _kind(model_id: str, entry: Mapping[str, Any], listing: Listing | None) -> Kind | None:
    """How a model is used: by its methods, and by what is known of its answers."""
    mode = listing.mode if listing is not None else ""
    if model_id.startswith("gemini-omni"):
        return _OMNI
    methods = entry.get("supportedGenerationMethods") or _guessed(model_id, mode)
    if "generateContent" in methods:
        return _answering(model_id, mode, _features(entry, listing))
    if "embedContent" in methods or "batchEmbedContents" in methods:
        return _embedding(listing)
    if "predictLongRunning" in methods:
        return _VIDEO
    return _IMAGEN if "predict" in methods else None


def _guessed(model_id: str, mode: str) -> Sequence[str]:
    if "-live" in model_id or "-realtime" in model_id:
        return ("bidiGenerateContent",)
    if mode == "image_generation":
        return ("predict",) if model_id.startswith("imagen") else ("generateContent",)
    return (_METHODS[mode],) if mode in _METHODS else ()


def _features(entry: Mapping[str, Any], listing: Listing | None) -> Sequence[str]:
    if listing is not None:
        return listing.features
    return (*_EVERYTHING, *(("reasoning",) if entry.get("thinking") else ()))


def _answering(model_id: str, mode: str, features: Sequence[str]) -> Kind:
    """A model that answers turns: with words, pictures, speech or music."""
    if mode == "audio_speech" or "-tts" in model_id:
        return _SPEECH
    if mode == "audio_transcription" or "transcribe" in model_id:
        return _TRANSCRIPTION
    if mode == "image_generation" or "-image" in model_id or "banana" in model_id:
        return _IMAGE
    if model_id.startswith("lyria"):
        return _MUSIC
    return chat_kind(_CHAT, chat_options(features), (*features, "logprobs", "token-counting"))


def _embedding(listing: Listing | None) -> Kind:
    """A model that embeds texts, and media where it is known to."""
    features = listing.features if listing is not None else ()
    operation = embeddings.Embeddings()
    capabilities, media = ["text-to-embedding"], [*TEXT.media_types]
    if "vision" in features:
        capabilities += ["image-to-embedding", "video-to-embedding"]
        media += ["image/png", "image/jpeg", "video/*", "application/pdf"]
    if "audio-input" in features:
        capabilities.append("audio-to-embedding")
        media.append("audio/*")
    return Kind(
        operations=dict.fromkeys(capabilities, operation),
        options=embeddings.OPTIONS,
        inputs=(InputSpec(media_types=tuple(media)),),
    )


_SPEECH: Final = Kind(
    operations={"text-to-audio": Speech()},
    options=SPEECH,
    inputs=(TEXT,),
    output_media_types=(WAV, L16, *FORMATS),
    features=("streaming", "multi-speaker"),
)
_TRANSCRIPTION: Final = Kind(
    operations={"audio-to-text": transcription.Transcribe()},
    options=transcription.OPTIONS,
    inputs=(InputSpec(media_types=("audio/*",)),),
    output_media_types=("text/plain",),
    features=("streaming",),
)
_MUSIC: Final = Kind(
    operations={"text-to-audio": Music()},
    options={"seed": SPEECH["seed"], "extra.stream": IMAGE["extra.stream"]},
    inputs=(InputSpec(media_types=(*TEXT.media_types, *_PICTURES)),),
    output_media_types=("audio/mpeg",),
)
_IMAGE: Final = Kind(
    operations=dict.fromkeys(("text-to-image", "image-to-image"), Images()),
    options=IMAGE,
    inputs=(InputSpec(media_types=(*TEXT.media_types, *_PICTURES, "application/pdf")),),
    output_media_types=("image/png", "image/jpeg"),
)
_IMAGEN: Final = Kind(
    operations={"text-to-image": imagen.Imagen()},
    options=imagen.OPTIONS,
    inputs=(TEXT,),
    output_media_types=("image/png", "image/jpeg"),
)
_VIDEO: Final = Kind(
    operations=dict.fromkeys(("text-to-video", "image-to-video", "video-to-video"), video.Video()),
    options=video.OPTIONS,
    inputs=video.INPUTS,
    output_media_types=(video.MP4,),
)
_OMNI: Final = Kind(
    operations=dict.fromkeys(("text-to-video", "image-to-video", "video-to-video"), interactions.Interaction()),
    options=interactions.OPTIONS,
    inputs=interactions.INPUTS,
    output_media_types=(video.MP4,),
)
