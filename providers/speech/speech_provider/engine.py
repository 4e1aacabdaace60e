"""The engine program: speaks one utterance and exits. Run as ``python -I -S engine.py LIBRARY DATA``.

A process of its own, for four reasons: the library aborts when two threads use it; it keeps state between utterances,
so that only a fresh one always says the same in the same way; killing a process stops it wherever it is; and a reader
that stops fills the pipe, which stops the engine.
"""

from __future__ import annotations

import array
import json
import os
import sys
from typing import Any, BinaryIO, Final, TypedDict

if __name__ == "__main__":
    # -I keeps the folder of the program off the path; pathlib would cost milliseconds of the start.
    sys.path.insert(0, os.path.dirname(__file__))
    import frames
    from espeak import PITCH, RATE, WORD_GAP, Espeak, Mark
else:
    from speech_provider import frames
    from speech_provider.espeak import PITCH, RATE, WORD_GAP, Espeak, Mark

LOUDEST: Final = 32767


class Manner(TypedDict):
    """How to speak."""

    voice: str
    """Identifier, with a variant after "+"."""
    rate: int
    """Words a minute."""
    pitch: int
    """0 to 100; 50 = the voice's own."""
    word_gap: int
    """Pause between words, in units of 10 ms."""
    gain: float
    """Factor for every sample; what becomes too loud is clipped."""
    big_endian: bool
    """Order of the two bytes of a sample."""


def amplify(samples: array.array[int], gain: float) -> array.array[int]:
    """Scales samples, clipping where they become too loud."""
    if gain <= 1:
        return array.array("h", [int(sample * gain) for sample in samples])
    return array.array("h", [max(-LOUDEST, min(LOUDEST, int(sample * gain))) for sample in samples])


class Engine:
    """Answers frames on `source` with frames on the file descriptor `sink`."""

    def __init__(self, espeak: Espeak, source: BinaryIO, sink: int) -> None:
        self._espeak = espeak
        self._source = source
        self._sink = sink
        self._gain = 1.0
        self._swap = False
        self._samples = 0

    def run(self) -> int:
        """Until the input ends; the exit code."""
        ready = {"version": self._espeak.version, "sample_rate": self._espeak.sample_rate}
        self._send(frames.READY, json.dumps(ready).encode())
        while header := self._source.read(frames.HEADER.size):
            kind, length = frames.HEADER.unpack(header)
            payload = self._source.read(length)
            if len(payload) < length:
                return 0
            if refusal := self._answer(kind, payload):
                self._send(frames.REFUSED, refusal.encode())
                return 1
        return 0

    def _answer(self, kind: bytes, payload: bytes) -> str:
        """Does what a frame asks; why not, when it cannot."""
        if kind == frames.MANNER:
            return self._configure(json.loads(payload))
        if kind == frames.VOICES:
            self._send(frames.VOICES, json.dumps(list(self._espeak.voices())).encode())
            return ""
        before = self._samples

        def heard(audio: bytes, marks: list[Mark]) -> None:
            self._heard(audio, [mark._replace(sample=mark.sample + before) for mark in marks])

        if not self._espeak.speak(payload.decode(), ssml=kind == frames.SSML, heard=heard):
            return "eSpeak NG refused the text"
        self._send(frames.SPOKEN)
        return ""

    def _configure(self, manner: Manner) -> str:
        if not self._espeak.set_voice(manner["voice"]):
            return f"eSpeak NG cannot load the voice {manner['voice']}"
        self._espeak.set_parameter(RATE, manner["rate"])
        self._espeak.set_parameter(PITCH, manner["pitch"])
        self._espeak.set_parameter(WORD_GAP, manner["word_gap"])
        self._gain = manner["gain"]
        self._swap = manner["big_endian"] != (sys.byteorder == "big")
        return ""

    def _heard(self, audio: bytes, marks: list[Mark]) -> None:
        if marks:
            self._send(frames.MARKS, json.dumps(marks).encode())
        if not audio:
            return
        self._samples += len(audio) // 2
        if self._gain != 1 or self._swap:
            samples = array.array("h", audio)
            if self._gain != 1:
                samples = amplify(samples, self._gain)
            if self._swap:
                samples.byteswap()
            audio = samples.tobytes()
        self._send(frames.AUDIO, audio)

    def _send(self, kind: bytes, payload: bytes = b"") -> None:
        """Waits while the pipe is full. Whoever reads it gone, there is nobody to speak to."""
        rest: Any = memoryview(frames.frame(kind, payload))
        try:
            while rest:
                rest = rest[os.write(self._sink, rest) :]
        except BrokenPipeError:
            os._exit(0)  # inside the library's callback nothing can be raised


def main() -> int:
    """Runs the engine on stdin and stdout."""
    sink = os.dup(1)
    os.dup2(2, 1)  # what the library prints must not get between frames
    library, data = sys.argv[1:]
    try:
        espeak = Espeak(library, data)
    except OSError as error:
        print(f"eSpeak NG does not start: {error}", file=sys.stderr)
        os.write(sink, frames.frame(frames.REFUSED, b"eSpeak NG does not start"))
        return 1
    return Engine(espeak, sys.stdin.buffer, sink).run()


if __name__ == "__main__":
    sys.exit(main())
