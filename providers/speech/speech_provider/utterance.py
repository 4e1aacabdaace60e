"""From a call's options to what the engine is told."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mediaconduit_provider import Call, Input, InvalidRequestError, Role

from speech_provider.engine import Manner
from speech_provider.formats import L16, WAV
from speech_provider.voices import Catalog

WORDS_PER_MINUTE: Final = 175
"""The engine's normal speed."""
_FIXED_PITCH: Final = 0.2
"""Share of a voice's pitch that the engine's parameter does not move (measured: 0.20 for en-US, 0.27 for f3)."""

OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "audio.voice": {"type": "string", "description": 'Id of a voice, also "en-US+f3": a voice and a variant.'},
    "audio.language": {"type": "string", "description": "BCP 47; picks a voice where none is named."},
    "audio.speed": {"type": "number", "minimum": 0.5, "maximum": 3, "default": 1},
    "audio.pitch": {"type": "number", "minimum": -9, "maximum": 9, "default": 0, "description": "Semitones."},
    "audio.gain_db": {"type": "number", "minimum": -60, "maximum": 20, "default": 0},
    "audio.times": {"enum": ["TIME_DETAIL_UNSPECIFIED", "TIME_DETAIL_SEGMENT", "TIME_DETAIL_WORD"]},
    "audio.speakers": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "voice": {"type": "string"}},
            "additionalProperties": False,
        },
        "description": "The voice of each participant, by the name of its turns.",
    },
    "live.turn_detection": {"enum": ["TURN_DETECTION_UNSPECIFIED", "TURN_DETECTION_MANUAL"]},
    "extra.word_gap": {
        "type": "integer",
        "minimum": 0,
        "maximum": 2000,
        "default": 0,
        "description": "Milliseconds of silence between words, in steps of 10.",
    },
}
"""JSON Schema of what the model takes, by path."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """A text and how it is spoken."""

    input: Input
    manner: Manner
    language: str
    """BCP 47."""
    speaker: str
    """Turn.name."""


class Planner:
    """Reads the options of calls."""

    def __init__(self, catalog: Catalog, default_voice: str) -> None:
        self.catalog = catalog
        self.default_voice = default_voice

    def media_type(self, call: Call) -> str:
        """What the caller wants made."""
        return call.media_type(WAV, L16)

    def plan(self, call: Call, inputs: Iterable[tuple[str, Input]]) -> list[Utterance]:
        """How to speak (speaker, input) pairs. Raises `InvalidRequestError` for a voice or language there is not."""
        return [self._utterance(call, speaker, given) for speaker, given in inputs]

    def _utterance(self, call: Call, speaker: str, given: Input) -> Utterance:
        audio = call.options.audio
        voice = next((s.voice for s in audio.speakers if s.voice and s.name == speaker), audio.voice)
        choice = self.catalog.choose(voice, audio.language, self.default_voice)
        manner = Manner(
            voice=choice.engine_name,
            rate=round(WORDS_PER_MINUTE * call.option("audio.speed", 1.0)),
            pitch=engine_pitch(call.option("audio.pitch", 0.0)),
            word_gap=round(call.option("extra.word_gap", 0) / 10),
            gain=10 ** (call.option("audio.gain_db", 0.0) / 20),
            big_endian=self.media_type(call) == L16,
        )
        return Utterance(given, manner, choice.language, speaker)


def engine_pitch(semitones: float) -> int:
    """The engine's parameter, 0 to 99, for a pitch so many semitones above the voice's own; right within one.

    The parameter moves the greater part of the pitch by an octave per 50; the rest, where intonation takes place,
    stays.
    """
    moved = (2 ** (semitones / 12) - _FIXED_PITCH) / (1 - _FIXED_PITCH)
    return max(0, min(99, round(50 + 50 * math.log2(moved))))


def spoken_inputs(call: Call) -> list[tuple[str, Input]]:
    """What is to be spoken, each text with the name of who says it: the main inputs since the model's last turn.

    Raises:
        InvalidRequestError: There is none.
    """
    answered = [index for index, turn in enumerate(call.turns) if turn.role == Role.ROLE_ASSISTANT]
    first = answered[-1] + 1 if answered else 0
    placed = [(int(given.field.partition("[")[2].partition("]")[0]), given) for given in call.inputs()]
    spoken = [(call.turns[turn].name, given) for turn, given in placed if turn >= first]
    if not spoken:
        raise InvalidRequestError.at("turns", "there is no text", hint="send the text to speak as a part of a turn")
    return spoken
