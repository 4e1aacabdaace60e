"""Speech as text, by models that do nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mediaconduit_provider import Call

from mediaconduit_vendors.api import Api
from mediaconduit_vendors.gemini.generate import Generate
from mediaconduit_vendors.gemini.options import SPEECH
from mediaconduit_vendors.gemini.reading import Answer
from mediaconduit_vendors.options import Schema, place

OPTIONS: Final[Mapping[str, Schema]] = {
    "transcript.language": {"type": "string"},
    "transcript.vocabulary": {"type": "array", "items": {"type": "string", "minLength": 1}},
    "extra.mode": {
        "enum": ["VERBATIM", "SMART"],
        "description": "SMART leaves out filler words and false starts; VERBATIM is the default.",
    },
    "extra.service_tier": SPEECH["extra.service_tier"],
}
"""Speakers and times are left out: the description does not say in which form they come."""


class Transcribe(Generate):
    """What is said, as it is understood."""

    def configure(self, call: Call, body: dict[str, Any]) -> None:
        """Says what is known of the speech."""
        call.media_type("text/plain")
        config: dict[str, Any] = {}
        if language := call.options.transcript.language:
            config["languageHints"] = {"languageCodes": [language]}
        if vocabulary := list(call.options.transcript.vocabulary):
            config["customVocabulary"] = vocabulary
        if mode := call.option("extra.mode"):
            config["mode"] = mode
        if config:
            place(body, "generationConfig.audioTranscriptionConfig", config)

    def answer(self, call: Call, api: Api) -> Answer:
        """Text is a transcript."""
        return Answer(call, api.vendor.id, transcript=True)
