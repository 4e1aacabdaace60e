"""Inputs of a call: piped or spooled, probed, and checked against what their media types say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mediaconduit_provider import Call, Input, InvalidRequestError

from ffmpeg_provider import probe
from ffmpeg_provider.commands import MAX_PIXELS, STDIN, Media, Options, probe_command
from ffmpeg_provider.formats import CONTAINERS, INPUTS, essence
from ffmpeg_provider.plans import Inputs
from ffmpeg_provider.probe import Facts
from ffmpeg_provider.process import run_to_end
from ffmpeg_provider.progress import complaint

_NAMED: Final = {"overlay": None, "audio": "audio", "image": "video"}
"""Inputs beside the main one, with the kind of stream each must have."""
NEEDS: Final = {
    "convert": "audio",
    "extract": "audio",
    "waveform": "audio",
    "frame": "video",
    "edit": "video",
    "animate": "video",
}
"""What the main input of each model must hold."""
# These need facts about the input, or a place in it, before anything is read.
_NEEDS_FILE: Final = ("extra.start", "extra.fade_out", "extra.at", "extra.overlay")


async def gather(call: Call, options: Options, ffmpeg: str) -> tuple[Inputs, Input | None]:
    """The inputs as ffmpeg shall open them, and the one to be written to its stdin, if any.

    Raises:
        InvalidRequestError: Bytes are not what their media type says, or lack what the model needs.
    """
    need = NEEDS[call.model.id]
    mains = call.inputs()
    named = {name: call.inputs(name) for name in _NAMED if any(spec.name == name for spec in call.model.inputs)}
    others = [(name, given[0]) for name, given in named.items() if given]
    main = call.input()
    if _can_be_piped(call, mains, others, options):
        return Inputs([Media(main.field, main.media_type, STDIN)], await _all_spooled(others, ffmpeg)), main
    return Inputs([await spooled(item, ffmpeg, need) for item in mains], await _all_spooled(others, ffmpeg)), None


async def _all_spooled(others: Sequence[tuple[str, Input]], ffmpeg: str) -> dict[str, Media]:
    return {name: await spooled(item, ffmpeg, _NAMED[name] or "video") for name, item in others}


def _can_be_piped(call: Call, mains: Sequence[Input], others: Sequence[tuple[str, Input]], options: Options) -> bool:
    """Whether the main input can go straight from the caller to ffmpeg: it is still arriving, and nothing else needs
    to be known or read first. What is here already is better read as a file, which tells its length."""
    main = mains[0] if len(mains) == 1 else None
    if main is None or main.size is not None or call.model.id in ("frame", "animate"):
        return False
    # An input that comes later in the same stream of chunks would wait behind one that ffmpeg does not read yet.
    if any(item.size is None for _, item in others) or any(name == "overlay" for name, _ in others):
        return False
    container = INPUTS.get(essence(main.media_type))
    return container is not None and container.pipeable and not any(path in options for path in _NEEDS_FILE)


async def spooled(item: Input, ffmpeg: str, need: str) -> Media:
    """An input as a file, probed and checked."""
    location = f"file:{await item.path()}"
    log = await run_to_end(probe_command(ffmpeg, location))
    found = probe.inputs(log)
    facts = check(found, item.media_type, item.field, need, complaint(log, telling_only=True))
    return Media(item.field, item.media_type, location, facts)


def check(found: Sequence[Facts], media_type: str, field: str, need: str, said: str) -> Facts:
    """The facts of an input, if they are what its media type says and hold what is needed ("audio", "video").

    `said` is what ffmpeg had against it, where it said something.

    Raises:
        InvalidRequestError: They are not; it names what was found.
    """
    named = essence(media_type)
    hint = "send the media type that the content has"
    if not found:
        because = f": {said}" if said else ""
        raise InvalidRequestError.at(
            field, f"the media type says {named}, but the bytes are nothing that can be read{because}", hint=hint
        )
    facts = found[0]
    expected = INPUTS.get(named)
    if expected is not None and facts.format not in expected.demuxers:
        actual = CONTAINERS.get(facts.format)
        label = actual.label if actual else facts.format
        raise InvalidRequestError.at(field, f"the media type says {named}, but the bytes are {label}", hint=hint)
    if facts.width * facts.height > MAX_PIXELS:
        limit = f"at most {MAX_PIXELS // 1_000_000} million are read"
        raise InvalidRequestError.at(field, f"its pictures have {facts.width} x {facts.height} pixels; {limit}")
    if need == "audio" and not facts.audio:
        raise InvalidRequestError.at(field, f"there is no sound in this {named}")
    if need == "video" and not facts.video:
        raise InvalidRequestError.at(field, f"there are no pictures in this {named}")
    return facts
