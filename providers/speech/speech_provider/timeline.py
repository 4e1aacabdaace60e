"""From the engine's marks to a transcript with times. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mediaconduit_provider import Segment

from speech_provider.espeak import END, SENTENCE, WORD, Mark


@dataclass(slots=True)
class _Word:
    start: int
    end: int
    """Characters of the text."""
    begins: int
    ends: int | None = None
    """Samples; None = not known yet."""


@dataclass(slots=True)
class Timeline:
    """Collects the marks of one text, gives a segment per sentence."""

    text: str
    sample_rate: int
    """Samples per second."""
    words: bool
    """Segments carry their words."""
    markup: bool = False
    """The text is SSML: a segment's text is its words, not what stands between them."""
    offset: int = 0
    """Samples of the whole output before this text's first mark."""
    speaker: str = ""
    first_id: int = 0
    """Number of the first segment within the output."""
    _sentence: list[_Word] = field(default_factory=list)
    _done: int = 0

    def feed(self, marks: Iterable[Mark]) -> list[Segment]:
        """Takes marks in order; gives the segments they complete."""
        complete: list[Segment] = []
        for mark in marks:
            if mark.kind == SENTENCE:
                complete += self._close(mark.sample, mark.position)
            elif mark.kind == END:
                self._end_word(mark.sample)
            elif mark.kind == WORD:
                self._word(mark)
        return complete

    def finish(self, samples: int) -> list[Segment]:
        """The last segment; `samples` of the output were made in all."""
        return self._close(samples - self.offset, len(self.text))

    @property
    def next_id(self) -> int:
        """Number for the first segment of the text after this one."""
        return self.first_id + self._done

    def _word(self, mark: Mark) -> None:
        end = mark.position + mark.length
        last = self._sentence[-1] if self._sentence else None
        # A number or a symbol is spoken as several words, each reported at its place; blanks belong to the word before.
        if last is not None and (mark.position < last.end or not self.text[mark.position : end].strip()):
            last.ends = None
            return
        self._end_word(mark.sample)
        self._sentence.append(_Word(mark.position, end, mark.sample))

    def _end_word(self, sample: int) -> None:
        if self._sentence and self._sentence[-1].ends is None:
            self._sentence[-1].ends = max(sample, self._sentence[-1].begins)

    def _close(self, sample: int, position: int) -> list[Segment]:
        self._end_word(sample)
        sentence, self._sentence = self._sentence, []
        if not sentence:
            return []
        text = " ".join(self._text_of(word) for word in sentence)
        if not self.markup:
            text = self.text[sentence[0].start : max(position, sentence[-1].end)].strip()
        segment = self._segment(text, sentence[0].begins, sentence[-1].ends or sample)
        segment.id, segment.speaker = str(self.next_id), self.speaker
        if self.words:
            segment.words.extend(self._segment(self._text_of(w), w.begins, w.ends or sample) for w in sentence)
        self._done += 1
        return [segment]

    def _text_of(self, word: _Word) -> str:
        return self.text[word.start : word.end].strip()

    def _segment(self, text: str, begins: int, ends: int) -> Segment:
        segment = Segment(text=text)
        for offset, sample in ((segment.start_offset, begins), (segment.end_offset, ends)):
            offset.FromNanoseconds((self.offset + sample) * 1_000_000_000 // self.sample_rate)
        return segment
