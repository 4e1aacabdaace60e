"""Voices: listed, cloned, removed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from mediaconduit.content import suffix_of
from mediaconduit.errors import MediaConduitError, PreconditionError, Reason
from mediaconduit.tasks import shielded
from mediaconduit_provider import Asset, Call, InvalidRequestError, Voice, VoiceOrigin

from mediaconduit_vendors.api import Api, Request

PAGE: Final = 100
_REMOVE_SECONDS: Final = 10.0
_ORIGINS: Final = {
    "cloned": VoiceOrigin.VOICE_ORIGIN_CLONED,
    "professional": VoiceOrigin.VOICE_ORIGIN_CLONED,
    "generated": VoiceOrigin.VOICE_ORIGIN_DESIGNED,
    "premade": VoiceOrigin.VOICE_ORIGIN_BUILT_IN,
    "famous": VoiceOrigin.VOICE_ORIGIN_BUILT_IN,
    "high_quality": VoiceOrigin.VOICE_ORIGIN_BUILT_IN,
}
_ORDER: Final = ("cloned", "professional", "generated", "premade")

Sample = tuple[bytes, str]
"""A recording and its media type."""


async def list_voices(api: Api) -> Sequence[Voice]:
    """All voices of the account, one's own first; label "category" has the vendor's group."""
    found: list[Mapping[str, Any]] = []
    page: dict[str, Any] = {"page_size": PAGE}
    while True:
        answer, _ = await api.json(Request("GET", "/v2/voices", params=page))
        found += answer.get("voices") or ()
        token = answer.get("next_page_token")
        if not answer.get("has_more") or not token:
            break
        page = {"page_size": PAGE, "next_page_token": token}
    return [voice_of(entry) for entry in sorted(found, key=_group)]


def _group(entry: Mapping[str, Any]) -> int:
    category = entry.get("category")
    return _ORDER.index(category) if category in _ORDER else len(_ORDER)


def voice_of(entry: Mapping[str, Any]) -> Voice:
    """A voice as ElevenLabs describes it."""
    category = entry.get("category") or ""
    labels = {name: str(value) for name, value in (entry.get("labels") or {}).items() if value}
    verified = entry.get("verified_languages") or ()
    languages = [each.get("locale") or each.get("language") or "" for each in verified]
    voice = Voice(
        name=entry["voice_id"],
        display_name=entry.get("name") or "",
        description=entry.get("description") or "",
        origin=_ORIGINS.get(category, VoiceOrigin.VOICE_ORIGIN_UNSPECIFIED),
        languages=dict.fromkeys(filter(None, languages)),
        labels=labels | ({"category": category} if category else {}),
    )
    if url := entry.get("preview_url"):
        voice.sample.CopyFrom(Asset(uri=url, media_type="audio/mpeg"))
    return voice


async def create_voice(
    api: Api, name: str, samples: Sequence[Sample], *, description: str = "", extra: Mapping[str, Any] | None = None
) -> str:
    """Clones a voice at once; its id. Raises `PreconditionError` when the vendor wants the speaker verified first."""
    files = [("files", (f"sample-{n}{suffix_of(kind)}", data, kind)) for n, (data, kind) in enumerate(samples)]
    noise = (extra or {}).get("remove_background_noise")
    data = {
        "name": name,
        **({"description": description} if description else {}),
        **({"remove_background_noise": "true" if noise else "false"} if noise is not None else {}),
    }
    answer, _ = await api.json(Request("POST", "/v1/voices/add", data=data, files=files, fields={"files": "turns"}))
    if answer.get("requires_verification"):
        await delete_voice(api, answer["voice_id"])
        raise PreconditionError(
            "ElevenLabs wants the speaker of this voice verified first",
            reason=Reason.NOT_ALLOWED,
            hint="make and verify the voice on its web site, and name it in audio.voice",
        )
    return str(answer["voice_id"])


async def delete_voice(api: Api, voice_id: str) -> None:
    """Removes a voice."""
    async with api.open(Request("DELETE", f"/v1/voices/{voice_id}")) as reply:
        await reply.read()


@asynccontextmanager
async def voice_for(api: Api, call: Call) -> AsyncIterator[str]:
    """The id of the voice a call is to speak with.

    The one it names; else one cloned of its inputs "voice", for as long as the call lasts; else the account's first.
    """
    if named := call.options.audio.voice:
        if call.inputs("voice"):
            raise InvalidRequestError.at("options.audio.voice", 'name a voice or give a sample "voice", not both')
        yield named.rpartition("/voices/")[2]
    elif given := call.inputs("voice"):
        samples = [(await sample.read(), sample.media_type.partition(";")[0]) for sample in given]
        voice_id = await create_voice(api, call.generation.replace("/", "-"), samples)
        try:
            yield voice_id
        finally:
            await shielded(_removed(api, call, voice_id), timeout=_REMOVE_SECONDS, name="remove a cloned voice")
    else:
        yield await _first(api)


async def _removed(api: Api, call: Call, voice_id: str) -> None:
    try:
        await delete_voice(api, voice_id)
    except MediaConduitError as error:
        call.log.warning("the voice that was cloned for this call stays at the vendor: %s", error.message)


async def _first(api: Api) -> str:
    answer, _ = await api.json(Request("GET", "/v2/voices", params={"page_size": 1}))
    if not (voices := answer.get("voices")):
        raise PreconditionError(
            "the account has no voice to speak with",
            reason=Reason.RESOURCE_NOT_FOUND,
            hint='name one in audio.voice, or give a sample as input "voice"',
        )
    return str(voices[0]["voice_id"])
