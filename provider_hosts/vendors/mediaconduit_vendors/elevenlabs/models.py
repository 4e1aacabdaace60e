"""Which models there are, and what each does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from mediaconduit_provider import InputSpec

from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.elevenlabs.formats import MEDIA_TYPES
from mediaconduit_vendors.elevenlabs.speech import CHANGER, SOUNDS, SPEECH, change, sound, speak
from mediaconduit_vendors.elevenlabs.transcription import OPTIONS, transcribe
from mediaconduit_vendors.kinds import TEXT, Kind
from mediaconduit_vendors.prices import ListingOf
from mediaconduit_vendors.provider import VendorModel

_SAMPLES: Final = InputSpec("voice", ("audio/*",), max_count=25)
_AUDIO: Final = InputSpec(media_types=("audio/*",))
SPEAKER: Final = Kind(
    {"text-to-audio": speak}, SPEECH, (TEXT, _SAMPLES), MEDIA_TYPES, ("streaming", "voice-cloning", "word-times")
)
VOICE_CHANGER: Final = Kind({"audio-to-audio": change}, CHANGER, (_AUDIO, _SAMPLES), MEDIA_TYPES, ("streaming",))
BOTH: Final = Kind(
    {"text-to-audio": speak, "audio-to-audio": change},
    {**SPEECH, **CHANGER},
    (InputSpec(media_types=("text/*", "audio/*")), _SAMPLES),
    MEDIA_TYPES,
    SPEAKER.features,
)
RECOGNISER: Final = Kind(
    {"audio-to-text": transcribe},
    OPTIONS,
    (InputSpec(media_types=("audio/*", "video/*"), max_bytes=3_000_000_000),),
    ("text/plain",),
    ("word-times", "diarization"),
)
SOUND_MAKER: Final = Kind({"text-to-audio": sound}, SOUNDS, (TEXT,), MEDIA_TYPES, ("sound-effects",))

UNLISTED: Final[Mapping[str, Kind]] = {
    "scribe_v2": RECOGNISER,
    "scribe_v1": RECOGNISER,
    "eleven_text_to_sound_v2": SOUND_MAKER,
}
"""Models that ``GET /v1/models`` leaves out: those the description names for recognition and for sounds."""


async def discover(api: Api, listing_of: ListingOf) -> Sequence[VendorModel]:
    """The account's models."""
    listed, _ = await api.json(Request("GET", "/v1/models"))
    found = [model_of(entry, listing_of) for entry in listed]
    return [*(model for model in found if model is not None), *unlisted(listing_of)]


def model_of(entry: Mapping[str, Any], listing_of: ListingOf) -> VendorModel | None:
    """A model as ElevenLabs lists it; None for one that neither speaks nor changes voices."""
    speaks, changes = entry.get("can_do_text_to_speech"), entry.get("can_do_voice_conversion")
    kind = BOTH if speaks and changes else SPEAKER if speaks else VOICE_CHANGER if changes else None
    if kind is None:
        return None
    model_id = entry["model_id"]
    return kind.model(
        model_id,
        listing_of(model_id),
        display_name=entry.get("name") or "",
        description=entry.get("description") or "",
    )


def unlisted(listing_of: ListingOf) -> list[VendorModel]:
    """Those of `UNLISTED`."""
    return [kind.model(model_id, listing_of(model_id)) for model_id, kind in UNLISTED.items()]


def known(ids: Iterable[str], listing_of: ListingOf) -> list[VendorModel]:
    """What is known without asking: those of these models with a price that speak, and `unlisted`."""
    listings = {model_id: listing_of(model_id) for model_id in ids}
    speaking = [
        SPEAKER.model(model_id, listing)
        for model_id, listing in listings.items()
        if listing is not None and listing.mode == "audio_speech"
    ]
    return [*speaking, *unlisted(listing_of)]
