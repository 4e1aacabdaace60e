"""Servers that speak this style: vLLM, llama.cpp, LM Studio, LocalAI, speaches, Kokoro and others.

Their lists of models say little of what a model is for, so that is guessed unless it is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final

from mediaconduit_vendors.kinds import Kind, chat_kind
from mediaconduit_vendors.openai.chat import Chat
from mediaconduit_vendors.openai.embeddings import Embeddings
from mediaconduit_vendors.openai.images import IMAGE_OPTIONS, ImageEdits, Images
from mediaconduit_vendors.openai.kinds import embedding_kind, image_kind, speech_kind, transcription_kind
from mediaconduit_vendors.openai.options import CHAT, CHAT_FIELDS, Schema
from mediaconduit_vendors.openai.responses import Responses
from mediaconduit_vendors.openai.speech import Speech
from mediaconduit_vendors.openai.transcription import Transcription
from mediaconduit_vendors.prices import Listing
from mediaconduit_vendors.provider import VendorModel

KINDS: Final = ("chat", "responses", "embedding", "speech", "transcription", "image")
"""What a model may be told to be."""

_TASKS: Final = {
    "automatic-speech-recognition": "transcription",
    "text-to-speech": "speech",
    "feature-extraction": "embedding",
    "text-embedding": "embedding",
    "embeddings": "embedding",
    "embedding": "embedding",
    "text-to-image": "image",
    "text-generation": "chat",
    "llm": "chat",
    "vlm": "chat",
}
"""What some servers say of a model's task, in "task" or "type"."""
_GUESSES: Final = (
    ("", re.compile(r"rerank")),
    (
        "transcription",
        re.compile(r"whisper|transcri|parakeet|canary|voxtral-mini|moonshine|(^|[-_/])(asr|stt)([-_]|$)"),
    ),
    (
        "speech",
        re.compile(r"(^|[-_/])tts([-_]|$|\d)|kokoro|speecht5|piper|xtts|chatterbox|orpheus|parler|(^|/)bark([-_]|$)"),
    ),
    ("embedding", re.compile(r"embed|(^|[-_/])(bge|gte|e5|minilm)[-_]|all-mpnet|(^|/)(bge|gte|e5)$")),
    ("image", re.compile(r"flux|stable-?diffusion|sdxl|(^|[-_/])sd3|dall-e|gpt-image|qwen-image|z-image")),
)
"""By a model's id; the first that fits. A reranker has no operation of this style."""
_SIGHT: Final = re.compile(r"[-_.]vl([-_.:]|$)|vision|llava|pixtral|minicpm-v|gemma-?3|internvl|moondream|qwen.*omni")
_THOUGHT: Final = re.compile(r"deepseek-r1|qwq|gpt-oss|thinking|reasoning|magistral")


class CompatibleChat(Chat):
    """A chat as most such servers take it."""

    options: ClassVar[Mapping[str, Schema]] = {
        **CHAT,
        "text.top_k": {"type": "integer", "minimum": -1},
        "extra.min_p": {"type": "number", "minimum": 0, "maximum": 1},
        "extra.repetition_penalty": {"type": "number", "exclusiveMinimum": 0},
        "extra.chat_template_kwargs": {"type": "object"},
    }
    fields: ClassVar[Mapping[str, str]] = {**CHAT_FIELDS, "text.max_output_tokens": "max_tokens"}


class CompatibleResponses(Responses):
    """Responses of servers that have them: nothing is kept, and no tools are run there."""

    hosted_tools: ClassVar[frozenset[str]] = frozenset()
    caches: ClassVar[bool] = False


class CompatibleSpeech(Speech):
    """Speech; without a voice the server has one of its own."""

    voice: ClassVar[str] = ""


class CompatibleImages(Images):
    """Images, in bytes."""

    options: ClassVar[Mapping[str, Schema]] = {**IMAGE_OPTIONS, "image.quality": {"type": "string"}}


class CompatibleImageEdits(ImageEdits):
    """Edits, in bytes."""

    options: ClassVar[Mapping[str, Schema]] = CompatibleImages.options


class CompatibleKinds:
    """The kinds of models.

    Args:
        extra: JSON Schemas of further options by their names, which the server takes and others do not know.
    """

    def __init__(self, extra: Mapping[str, Schema] | None = None) -> None:
        self._extra = {f"extra.{name}": schema for name, schema in (extra or {}).items()}
        self._chat, self._responses = CompatibleChat(), CompatibleResponses()
        self._plain: Mapping[str, Kind] = {
            "embedding": embedding_kind(Embeddings()),
            "speech": speech_kind(CompatibleSpeech()),
            "transcription": transcription_kind(Transcription()),
            "image": image_kind(CompatibleImages(), CompatibleImageEdits()),
        }

    def model(
        self, entry: Mapping[str, Any], told: Mapping[str, Any] | None = None, listing: Listing | None = None
    ) -> VendorModel | None:
        """A model of the server's list; None for one that has no operation here.

        Args:
            entry: As listed; only "id" is sure to be there.
            told: What the operator says of it: "kind", "features".
            listing: What the operator's price file says of it.
        """
        told = told or {}
        kind = told.get("kind") or guessed_kind(entry)
        if not kind:
            return None
        features = told.get("features", guessed_features(entry["id"]))
        made = self._with_extra(self._kind(kind, features))
        return made.model(entry["id"], listing, context_tokens=_context(entry), display_name=entry.get("name") or "")

    def _kind(self, kind: str, features: Sequence[str]) -> Kind:
        if kind == "chat":
            return chat_kind(self._chat, self._chat.options, features)
        if kind == "responses":
            return chat_kind(self._responses, self._responses.options, features)
        return self._plain[kind]

    def _with_extra(self, kind: Kind) -> Kind:
        if not self._extra:
            return kind
        return replace(kind, options={**kind.options, **self._extra})


def guessed_kind(entry: Mapping[str, Any]) -> str:
    """One of `KINDS` for a model of a server's list; empty for one that is none of them."""
    for field in ("task", "type"):
        if known := _TASKS.get(str(entry.get(field) or "")):
            return known
    name = str(entry["id"]).lower()
    return next((kind for kind, pattern in _GUESSES if pattern.search(name)), "chat")


def guessed_features(model_id: str) -> tuple[str, ...]:
    """Features of a chat model by its name. Tools and schemas are tried: a server that lacks them says so."""
    name = model_id.lower()
    found = ["tools", "json-schema"]
    if _SIGHT.search(name):
        found.append("vision")
    if _THOUGHT.search(name):
        found.append("reasoning")
    return tuple(found)


def _context(entry: Mapping[str, Any]) -> int:
    """Tokens of context, as vLLM, llama.cpp and LM Studio say it; 0 = not said."""
    about = entry.get("meta") or {}
    found = (
        entry.get("max_model_len")
        or entry.get("max_context_length")
        or entry.get("context_length")
        or about.get("n_ctx")
        or about.get("n_ctx_train")
    )
    return found if isinstance(found, int) else 0
