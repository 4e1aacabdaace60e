"""The part of eSpeak NG's C interface (speak_lib.h, version 1.52) that the engine program uses.

Imports nothing but the standard library: the engine runs without site-packages, which halves its start.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

SYNCHRONOUS: Final = 2
"""``AUDIO_OUTPUT_SYNCHRONOUS``: samples go to the callback, in the thread that called ``espeak_Synth``."""
BUFFER_MS: Final = 100
"""Audio per callback."""
RATE, PITCH, WORD_GAP = 1, 3, 7
"""``espeak_PARAMETER``: words a minute, 0 to 100 with 50 as normal, pauses of 10 ms."""
WORD, SENTENCE, END = 1, 2, 5
"""``espeak_EVENT_TYPE``: a word begins, a sentence begins, a clause has ended."""

_DONT_EXIT: Final = 0x8000
_UTF8: Final = 1
_SSML: Final = 0x10
_BY_CHARACTER: Final = 1


class Mark(NamedTuple):
    """Something that happens at a moment of the speech."""

    kind: int
    """`WORD`, `SENTENCE` or `END`."""
    position: int
    """Characters of the text before it."""
    length: int
    """Characters of the word."""
    sample: int
    """Samples of the speech before it."""


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


_OnSpeech = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))
_OnUri = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p)


class Espeak:
    """The library, initialised. One per process and one thread only: a second thread aborts the process."""

    def __init__(self, library: str, data: str) -> None:
        """Raises `OSError` when the library cannot be loaded or its data cannot be read."""
        lib = ctypes.CDLL(library)
        lib.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        lib.espeak_ListVoices.argtypes = [ctypes.c_void_p]
        lib.espeak_Info.restype = ctypes.c_char_p
        lib.espeak_Info.argtypes = [ctypes.c_void_p]
        lib.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
        lib.espeak_Synth.argtypes = [
            *(ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int),
            *(ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p),
        ]
        self._lib: Any = lib
        self.sample_rate: int = lib.espeak_Initialize(SYNCHRONOUS, BUFFER_MS, data.encode(), _DONT_EXIT)
        if self.sample_rate <= 0:
            raise OSError("eSpeak NG cannot read its data")
        # Initialising seeds the noise of breathy voices with the time of day.
        lib.espeak_ng_SetRandSeed.argtypes = [ctypes.c_long]
        lib.espeak_ng_SetRandSeed(1)
        # <audio src> would open any file of this machine: 1 = do not, speak the text inside instead.
        self._on_uri = _OnUri(lambda _kind, _uri, _base: 1)
        lib.espeak_SetUriCallback(self._on_uri)

    @property
    def version(self) -> str:
        """Like "1.52.0"."""
        return str(self._lib.espeak_Info(None).decode())

    def set_voice(self, name: str) -> bool:
        """Chooses a voice by identifier, with a variant after "+" ("gmw/en-US+f3"). False when there is none."""
        return bool(self._lib.espeak_SetVoiceByName(name.encode()) == 0)

    def set_parameter(self, parameter: int, value: int) -> None:
        """Sets `RATE`, `PITCH` or `WORD_GAP`."""
        self._lib.espeak_SetParameter(parameter, value, 0)

    def speak(self, text: str, *, ssml: bool, heard: Callable[[bytes, list[Mark]], None]) -> bool:
        """Speaks a text and returns when it is spoken; False when the library refused.

        `heard` gets samples (signed 16 bit, native order) and what happens in them; it must not raise.
        """

        def on_speech(samples: int | None, count: int, events: Any) -> int:
            heard(ctypes.string_at(samples, count * 2) if samples and count else b"", list(_marks(events)))
            return 0

        callback = _OnSpeech(on_speech)
        self._lib.espeak_SetSynthCallback(callback)
        encoded = text.encode()
        flags = _UTF8 | (_SSML if ssml else 0)
        status = self._lib.espeak_Synth(encoded, len(encoded) + 1, 0, _BY_CHARACTER, 0, flags, None, None)
        return bool(status == 0)

    def voices(self) -> Iterator[dict[str, Any]]:
        """Voices that speak a language, then the variants that change how any of them sounds."""
        yield from self._list(None)
        languages = ctypes.create_string_buffer(b"variant")
        only_variants = _Voice(languages=ctypes.cast(languages, ctypes.c_void_p))
        yield from self._list(ctypes.byref(only_variants))

    def _list(self, like: Any) -> Iterator[dict[str, Any]]:
        found = self._lib.espeak_ListVoices(like)
        index = 0
        while found[index]:
            voice = found[index][0]
            yield {
                "identifier": voice.identifier.decode(),
                "name": voice.name.decode(),
                "languages": list(_languages(voice.languages)),
                "gender": voice.gender,
                "age": voice.age,
            }
            index += 1


def _languages(address: int) -> Iterator[tuple[int, str]]:
    """A list of (a byte of priority, a C string), ended by priority 0; the lower the better."""
    while priority := ctypes.string_at(address, 1)[0]:
        tag = ctypes.string_at(address + 1)
        yield priority, tag.decode()
        address += 2 + len(tag)


def _marks(events: Any) -> Iterator[Mark]:
    index = 0
    while (event := events[index]).type:
        if event.type in (WORD, SENTENCE, END):
            yield Mark(event.type, event.text_position - 1, event.length, event.sample)
        index += 1
