"""When each character is spoken, as words with times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mediaconduit.v1.options_pb2 import TimeDetail
from mediaconduit_provider import Segment

from mediaconduit_vendors.openai.transcription import duration


class Alignment:
    """Puts characters, which come a piece of audio at a time, together to words and these to segments.

    A word that goes on in the next piece is held back until it is whole.
    """

    def __init__(self, detail: TimeDetail.ValueType) -> None:
        self._detail = detail
        self._word: list[tuple[str, float, float]] = []

    def feed(self, alignment: Mapping[str, Any] | None) -> Iterator[Segment]:
        """The words that are whole by now, as one segment."""
        if not alignment:
            return
        words: list[list[tuple[str, float, float]]] = []
        starts, ends = alignment["character_start_times_seconds"], alignment["character_end_times_seconds"]
        for character in zip(alignment["characters"], starts, ends, strict=True):
            self._word.append(character)
            if character[0].isspace():
                words.append(self._word)
                self._word = []
        yield from self._segment(words)

    def flush(self) -> Iterator[Segment]:
        """What is left at the end."""
        word, self._word = self._word, []
        yield from self._segment([word] if word else [])

    def _segment(self, words: list[list[tuple[str, float, float]]]) -> Iterator[Segment]:
        if not words:
            return
        segment = _span([character for word in words for character in word])
        if self._detail == TimeDetail.TIME_DETAIL_CHARACTER:
            segment.words.extend(_span([character]) for word in words for character in word)
        elif self._detail == TimeDetail.TIME_DETAIL_WORD:
            segment.words.extend(found for word in words if (found := _span(word)).text.strip())
        yield segment


def _span(characters: list[tuple[str, float, float]]) -> Segment:
    """Characters as one, from the first that is heard to the last."""
    text = "".join(character for character, _, _ in characters)
    heard = [each for each in characters if not each[0].isspace()] or characters
    return Segment(text=text, start_offset=duration(heard[0][1]), end_offset=duration(heard[-1][2]))
