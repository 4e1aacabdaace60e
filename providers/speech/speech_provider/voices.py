"""Which voices there are, and finding one by what a caller says."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mediaconduit_provider import InvalidRequestError, Voice, VoiceOrigin

_GENDERS: Final = {1: "male", 2: "female"}
_VARIANT: Final = "variant"


@dataclass(frozen=True, slots=True)
class Entry:
    """A voice of the engine: one that speaks a language, or a variant that changes how any of them sounds."""

    id: str
    """For callers ("en-US", "f3")."""
    engine_name: str
    """For the engine ("gmw/en-US"; of a variant, what follows "+")."""
    display_name: str
    languages: Mapping[str, int]
    """BCP 47 in lower case → priority, the lower the better. Empty for a variant: it speaks any language."""
    gender: str
    """"male", "female" or empty."""
    age: int
    """Years; 0 = not said."""

    @property
    def is_variant(self) -> bool:
        """Whether it needs a language from elsewhere."""
        return not self.languages


@dataclass(frozen=True, slots=True)
class Choice:
    """A voice to speak with."""

    engine_name: str
    """For the engine: "gmw/en-US+f3"."""
    language: str
    """BCP 47 of what it speaks."""


class Catalog:
    """The voices the engine reported."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self._by_name = {entry.display_name.lower(): entry for entry in self.entries}
        self._by_name |= {entry.id.lower(): entry for entry in self.entries}

    @classmethod
    def from_engine(cls, found: Iterable[Mapping[str, Any]]) -> Catalog:
        """From what `pool.Engine.voices` gave."""
        return cls(_entry(voice) for voice in found)

    def voices(self) -> list[Voice]:
        """As the contract lists them."""
        return [_voice(entry) for entry in self.entries]

    def choose(self, voice: str, language: str, default: str, *, field: str = "options.audio") -> Choice:
        """The voice for a call.

        Args:
            voice: Id, display name, resource name, or id of a language's voice + "+" + id of a variant; may be empty.
            language: BCP 47; may be empty.
            default: Id of the voice that speaks when neither says anything.
            field: Where the two stand in the request, for errors.

        Raises:
            InvalidRequestError: There is no such voice, or it does not speak the language.
        """
        base_name, _, variant_name = voice.rpartition("/voices/")[2].partition("+")
        base = self._find(base_name, f"{field}.voice") if base_name else None
        variant = self._find(variant_name, f"{field}.voice") if variant_name else None
        if variant is None and base is not None and base.is_variant:
            base, variant = None, base
        if (variant is not None and not variant.is_variant) or (base is not None and base.is_variant):
            raise InvalidRequestError.at(
                f"{field}.voice", f'"{voice}" is not a voice of a language + a variant, as in "en-US+f3"'
            )
        if base is None:
            base = self._speaks(language, f"{field}.language") if language else self._find(default, "settings.voice")
        elif language and not _speaks(base, language):
            raise InvalidRequestError.at(
                f"{field}.language", f'the voice "{voice}" speaks {", ".join(base.languages)}, not "{language}"'
            )
        suffix = f"+{variant.engine_name}" if variant else ""
        return Choice(base.engine_name + suffix, min(base.languages, key=lambda tag: base.languages[tag]))

    def speaks(self, voice: str) -> bool:
        """Whether it is a voice with a language of its own, with or without a variant: what SSML may name."""
        base, plus, variant = voice.lower().partition("+")
        changed = self._by_name.get(variant)
        spoken = self._by_name.get(base)
        return (
            spoken is not None and not spoken.is_variant and (not plus or (changed is not None and changed.is_variant))
        )

    def nearest(self, voice: str) -> list[str]:
        """Ids that look like it, the most alike first."""
        found = difflib.get_close_matches(voice.lower(), self._by_name, n=5, cutoff=0.5)
        return list(dict.fromkeys(self._by_name[name].id for name in found))

    def _find(self, name: str, field: str) -> Entry:
        entry = self._by_name.get(name.lower())
        if entry is None:
            near = ", ".join(self.nearest(name))
            told = f"; nearest: {near}" if near else ""
            raise InvalidRequestError.at(
                field, f'there is no voice "{name}"{told}', hint="the Voices service lists them all"
            )
        return entry

    def _speaks(self, language: str, field: str) -> Entry:
        """The best voice for a language, or for what is left of it when subtags are cut from the right (RFC 4647)."""
        tag = language.lower().replace("_", "-")
        while tag:
            speakers = [entry for entry in self.entries if tag in entry.languages]
            if speakers:
                return min(speakers, key=lambda entry: entry.languages[tag])
            tag = tag.rpartition("-")[0]
        tags = {tag for entry in self.entries for tag in entry.languages}
        near = ", ".join(difflib.get_close_matches(language.lower(), sorted(tags), n=5, cutoff=0.4))
        told = f"; nearest: {near}" if near else ""
        raise InvalidRequestError.at(
            field, f'no voice speaks "{language}"{told}', hint="the Voices service lists the languages"
        )


def _speaks(entry: Entry, language: str) -> bool:
    """Whether the voice speaks it: "en-us" speaks "en" and "en-US-x-south", but not "en-GB"."""
    wanted = language.lower().replace("_", "-")
    best = min(entry.languages.values())
    return any(
        f"{tag}-".startswith(f"{wanted}-") or (priority == best and f"{wanted}-".startswith(f"{tag}-"))
        for tag, priority in entry.languages.items()
    )


def _entry(voice: Mapping[str, Any]) -> Entry:
    languages = {tag: priority for priority, tag in voice["languages"]}
    last = voice["identifier"].rpartition("/")[2]
    variant = _VARIANT in languages
    return Entry(
        id=last.replace(" ", "-"),
        engine_name=last if variant else voice["identifier"],
        display_name=voice["name"].strip(),
        languages={} if variant else languages,
        gender=_GENDERS.get(voice["gender"], ""),
        age=voice["age"],
    )


def _voice(entry: Entry) -> Voice:
    voice = Voice(
        name=entry.id,
        display_name=entry.display_name,
        origin=VoiceOrigin.VOICE_ORIGIN_BUILT_IN,
        languages=list(entry.languages),
    )
    if entry.is_variant:
        voice.description = f'Changes the sound of any voice: alone with a language, or "en-US+{entry.id}".'
    if entry.gender:
        voice.labels["gender"] = entry.gender
    if entry.age:
        voice.labels["age"] = str(entry.age)
    return voice
