"""OpenAI's models by what a price file says they are for; also those that Azure deploys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mediaconduit_provider import InputSpec

from mediaconduit_vendors.kinds import TEXT, Kind, chat_kind
from mediaconduit_vendors.openai.embeddings import Embeddings
from mediaconduit_vendors.openai.gpt_chat import GptChat, SearchChat, VoiceChat
from mediaconduit_vendors.openai.images import GptImageEdits, GptImages, Images, ImagesOrEdits
from mediaconduit_vendors.openai.moderation import Moderation
from mediaconduit_vendors.openai.operation import Address
from mediaconduit_vendors.openai.responses import Responses
from mediaconduit_vendors.openai.speech import L16, GptSpeech, Speech
from mediaconduit_vendors.openai.text import Text
from mediaconduit_vendors.openai.transcription import (
    Diarization,
    GptTranscription,
    StreamedTranscription,
    Transcription,
)
from mediaconduit_vendors.openai.video import Videos
from mediaconduit_vendors.prices import Listing
from mediaconduit_vendors.provider import VendorModel

IMAGE_BYTES = 50 * 1024 * 1024
"""Largest image to edit."""
AUDIO_BYTES = 25 * 1024 * 1024
"""Largest audio to transcribe."""
_IMAGES = ("image/png", "image/jpeg", "image/webp")


class Kinds:
    """The kinds of models, with operations at an address.

    Args:
        address: Where operations are; None = below the base URL.
        chat: What a chat is.
    """

    def __init__(self, address: Address | None = None, chat: type[GptChat] = GptChat) -> None:
        responses = Responses(address)
        self._responses = responses
        self._text = Text(chat(address), responses)
        self._search = SearchChat(address)
        self._voice = VoiceChat(address)
        self._plain: Mapping[str, Kind] = {
            "embedding": embedding_kind(Embeddings(address)),
            "moderation": moderation_kind(Moderation(address)),
            "video_generation": video_kind(Videos(address)),
            "image_generation": image_kind(GptImages(address), GptImageEdits(address)),
        }
        self._speech = speech_kind(Speech(address))
        self._gpt_speech = speech_kind(GptSpeech(address))
        self._whisper = transcription_kind(Transcription(address))
        self._transcribe = transcription_kind(StreamedTranscription(address))
        self._gpt_transcribe = transcription_kind(GptTranscription(address))
        self._diarize = transcription_kind(Diarization(address))

    def model(self, model_id: str, listing: Listing | None, *, name: str = "", **facts: Any) -> VendorModel | None:
        """A model; None for one of an unknown kind.

        Args:
            model_id: Of OpenAI.
            listing: What is known of it.
            name: What it is called by, where that is not its own id.
            facts: As those of `Kind.model`.
        """
        kind = self.of(model_id, listing) if listing is not None else None
        return kind.model(name or model_id, listing, **facts) if kind is not None else None

    def of(self, model_id: str, listing: Listing) -> Kind | None:
        """How a model is used; None for one that is used in no way known here."""
        match listing.mode:
            case "chat":
                return self._of_text(model_id, listing)
            case "responses":
                return chat_kind(self._responses, self._responses.options, listing.features)
            case "audio_speech":
                return self._speech if model_id.startswith("tts-") else self._gpt_speech
            case "audio_transcription":
                return self._transcription(model_id)
            case mode:
                return self._plain.get(mode)

    def _of_text(self, model_id: str, listing: Listing) -> Kind:
        if "audio-output" in listing.features:
            return voice_kind(self._voice, listing.features)
        if "-search-" in model_id:
            return chat_kind(self._search, self._search.options, listing.features)
        return chat_kind(self._text, self._text.options, listing.features)

    def _transcription(self, model_id: str) -> Kind | None:
        if "diarize" in model_id:
            return self._diarize
        if model_id.startswith("gpt-transcribe"):
            return self._gpt_transcribe
        if model_id.startswith("gpt-4o"):
            return self._transcribe
        return self._whisper if model_id.startswith("whisper") else None


def voice_kind(operation: VoiceChat, features: Sequence[str]) -> Kind:
    """Models that hear and speak."""
    kind = chat_kind(operation, operation.options, features)
    spoken = {f"{source}-to-audio": operation for source in ("text", "audio")}
    return replace(kind, operations={**kind.operations, **spoken}, output_media_types=(*kind.output_media_types, L16))


def embedding_kind(operation: Embeddings) -> Kind:
    """Models that embed texts."""
    return Kind({"text-to-embedding": operation}, options=operation.options, inputs=(TEXT,))


def moderation_kind(operation: Moderation) -> Kind:
    """Models that judge texts and images."""
    return Kind(
        {"text-to-scores": operation, "image-to-scores": operation},
        options=operation.options,
        inputs=(InputSpec(media_types=("text/*", *_IMAGES, "image/gif")),),
    )


def image_kind(images: Images, edits: Images) -> Kind:
    """Models that make and edit images."""
    operation = ImagesOrEdits(images, edits)
    return Kind(
        {"text-to-image": operation, "image-to-image": operation},
        options=operation.options,
        inputs=(
            InputSpec(media_types=("text/*", *_IMAGES), max_bytes=IMAGE_BYTES),
            InputSpec("reference", media_types=_IMAGES, max_bytes=IMAGE_BYTES, max_count=16),
            InputSpec("mask", media_types=("image/png",), max_bytes=IMAGE_BYTES),
        ),
        output_media_types=images.media_types,
        features=("streaming",) if isinstance(images, GptImages) else (),
    )


def video_kind(operation: Videos) -> Kind:
    """Models that make videos."""
    return Kind(
        dict.fromkeys(("text-to-video", "image-to-video", "video-to-video"), operation),
        options=operation.options,
        inputs=(
            InputSpec(media_types=("text/*", *_IMAGES, "video/mp4")),
            InputSpec("first-frame", media_types=_IMAGES),
        ),
        output_media_types=("video/mp4",),
    )


def speech_kind(operation: Speech) -> Kind:
    """Models that speak."""
    return Kind(
        {"text-to-audio": operation},
        options=operation.options,
        inputs=(TEXT,),
        output_media_types=tuple(operation.formats),
        features=("streaming",),
    )


def transcription_kind(operation: Transcription) -> Kind:
    """Models that write down speech."""
    streams = isinstance(operation, StreamedTranscription)
    voices = (InputSpec("voice", media_types=("audio/*",), max_count=4),) if isinstance(operation, Diarization) else ()
    return Kind(
        {"audio-to-text": operation},
        options=operation.options,
        inputs=(
            InputSpec(media_types=("audio/*", "video/mp4", "video/webm"), required=True, max_bytes=AUDIO_BYTES),
            *voices,
        ),
        output_media_types=("text/plain", *operation.subtitles),
        features=("streaming",) if streams else (),
    )
