"""OpenAI's own voices. Its API has no list of them: these are those of its description of ``POST /audio/speech``."""

from __future__ import annotations

from typing import Final

from mediaconduit_provider import Call, Voice, VoiceOrigin

NAMES: Final = (
    "alloy",
    "ash",
    "ballad",
    "cedar",
    "coral",
    "echo",
    "fable",
    "marin",
    "nova",
    "onyx",
    "sage",
    "shimmer",
    "verse",
)
"""What ``audio.voice`` may be."""
_NEWER: Final = frozenset({"ballad", "cedar", "marin", "verse"})
"""Voices that the first two models do not have."""


def voices() -> list[Voice]:
    """All of them."""
    origin = VoiceOrigin.VOICE_ORIGIN_BUILT_IN
    return [
        Voice(
            name=name,
            display_name=name.capitalize(),
            description="Not for tts-1 and tts-1-hd." if name in _NEWER else "",
            origin=origin,
        )
        for name in NAMES
    ]


def voice_of(call: Call) -> str:
    """The vendor's id of the voice wanted, also where it is named in full; empty where none is."""
    return call.options.audio.voice.rpartition("/voices/")[2]
