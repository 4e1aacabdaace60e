"""What a model of OpenAI's is for, by its id alone: for those that came out after the price file."""

from __future__ import annotations

import re
from typing import Final

from mediaconduit_vendors.prices import Listing

_MODES: Final = (
    ("", re.compile(r"realtime|live|instruct|deep-research$|codex-mini-latest")),
    ("image_generation", re.compile(r"^(gpt|chatgpt)-image")),
    ("video_generation", re.compile(r"^sora-")),
    ("audio_transcription", re.compile(r"transcribe|^whisper-")),
    ("audio_speech", re.compile(r"(^|-)tts(-|$)")),
    ("embedding", re.compile(r"^text-embedding-")),
    ("moderation", re.compile(r"moderation")),
    ("responses", re.compile(r"-(pro|codex)(-|$)")),
    ("chat", re.compile(r"^(gpt-|chatgpt-|o\d)")),
)
"""By the first that fits; empty = used in no way known here."""
_REASONS: Final = re.compile(r"^(o\d|gpt-([5-9]|\d\d))(?!.*chat)")
_SPEAKS: Final = re.compile(r"audio")


def guessed_listing(model_id: str) -> Listing | None:
    """A listing without limits and prices; None for a model that is used in no way known here."""
    base = model_id.split(":")[1] if model_id.startswith("ft:") and ":" in model_id[3:] else model_id
    mode = next((mode for mode, pattern in _MODES if pattern.search(base)), "")
    if not mode:
        return None
    if mode not in ("chat", "responses"):
        return Listing(model_id, mode)
    features = ["json-schema", "tools", "parallel-tools"]
    if _SPEAKS.search(base):
        features += ["audio-input", "audio-output"]
    else:
        features += ["vision", "pdf-input", "prompt-caching"]
    if _REASONS.search(base):
        features.append("reasoning")
    return Listing(model_id, mode, features=tuple(sorted(features)))
