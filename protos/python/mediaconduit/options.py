"""Options and the rest of a request as keyword arguments: their types, and how they become messages."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, TypedDict, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from mediaconduit.v1 import options_pb2, transform_pb2

if TYPE_CHECKING:
    from mediaconduit.content import NamedInputs

Seconds: TypeAlias = float | timedelta
"""A duration: seconds or a `timedelta`."""
Json: TypeAlias = Mapping[str, Any]
"""JSON as Python data."""
TimeDetail: TypeAlias = Literal["segment", "word", "character"]


class Tool(TypedDict, total=False):
    """A tool the model may call; `mediaconduit.v1.Tool`."""

    name: str
    description: str
    parameters_schema: str | Json
    strict: bool
    hosted_tool: str
    extra: Json
    cache_ttl: Seconds


class TextOptions(TypedDict, total=False):
    """Text generation; `mediaconduit.v1.TextOptions`."""

    temperature: float
    top_p: float
    top_k: int
    max_output_tokens: int
    stop: Sequence[str]
    presence_penalty: float
    frequency_penalty: float
    json_schema: str | Json
    tools: Sequence[Tool | options_pb2.Tool]
    tool_choice: Literal["none", "required"]
    parallel_tool_calls: bool
    reasoning_effort: str
    allowed_tools: Sequence[str]
    max_reasoning_tokens: int
    top_logprobs: int


class Speaker(TypedDict, total=False):
    """Who reads what; `mediaconduit.v1.Speaker`."""

    name: str
    voice: str
    voice_part: str


class AudioOptions(TypedDict, total=False):
    """Speech, sound and music; `mediaconduit.v1.AudioOptions`."""

    voice: str
    language: str
    speed: float
    pitch: float
    gain_db: float
    speakers: Sequence[Speaker]
    times: TimeDetail
    duration: Seconds


class ImageOptions(TypedDict, total=False):
    """Images; `mediaconduit.v1.ImageOptions`."""

    width: int
    height: int
    aspect_ratio: str
    resolution: str
    quality: str
    negative_prompt: str
    steps: int
    guidance_scale: float
    strength: float
    previews: int


class VideoOptions(TypedDict, total=False):
    """Video; `mediaconduit.v1.VideoOptions`."""

    frame: ImageOptions
    duration: Seconds
    frame_rate: float
    camera_motion: str
    motion_strength: float
    edit: Literal["change", "extend"]
    sound: bool
    looping: bool


class TranscriptOptions(TypedDict, total=False):
    """Transcripts; `mediaconduit.v1.TranscriptOptions`."""

    language: str
    translate_to: str
    times: TimeDetail
    speakers: bool
    speaker_count: int
    vocabulary: Sequence[str]


class EmbeddingOptions(TypedDict, total=False):
    """Embeddings; `mediaconduit.v1.EmbeddingOptions`."""

    dimensions: int
    purpose: str


class LiveOptions(TypedDict, total=False):
    """Conversations by voice; `mediaconduit.v1.LiveOptions`."""

    turn_detection: Literal["manual", "silence", "semantic"]
    silence: Seconds
    interruptible: bool
    transcribe_input: bool
    transcribe_output: bool


class TransformOptions(TypedDict, total=False):
    """How it is to be done; `mediaconduit.v1.TransformOptions`."""

    text: TextOptions
    audio: AudioOptions
    image: ImageOptions
    video: VideoOptions
    transcript: TranscriptOptions
    embedding: EmbeddingOptions
    live: LiveOptions
    candidates: int
    seed: int
    output_media_types: Sequence[str]
    outputs_by_reference: bool
    lenient: bool
    extra: Json


class Preferences(TypedDict, total=False):
    """What the broker may choose by; `mediaconduit.v1.Preferences`."""

    tier: str
    max_nano_cost: int
    prefer: Sequence[str]
    exclude: Sequence[str]
    require_features: Sequence[str]
    prefer_local: bool
    max_latency: Seconds
    no_fallback: bool


class Request(TransformOptions, total=False):
    """Every keyword of a call."""

    system: str
    """Instructions that frame the input: a ROLE_SYSTEM turn before it."""
    inputs: NamedInputs
    """Named inputs, or several of one name: ``{"voice": Path("v.wav")}``."""
    timeout: Seconds
    """The call must be over by then, else `CallTimeoutError`."""
    capability: str
    """Wanted when the model has several, or when no model is named."""
    request_id: str
    """UUID: a repeat attaches to the running or just finished call instead of running twice."""
    labels: Mapping[str, str]
    """For accounting and traces; never secrets."""
    affinity_key: str
    """Calls with the same key share caches."""
    preferences: Preferences
    """For the broker's routing."""
    parent_generations: Sequence[str]
    """Generations whose outputs the input was made from."""
    resume_token: bytes
    """From a `Checkpoint`: go on with that work."""


OPTION_NAMES: Final = frozenset(options_pb2.TransformOptions.DESCRIPTOR.fields_by_name)
_REQUEST_NAMES: Final = OPTION_NAMES | Request.__annotations__.keys()
_JSON_TEXT: Final = {"mediaconduit.v1.TextOptions.json_schema", "mediaconduit.v1.Tool.parameters_schema"}
_EXACT: Final = 2**53


def check_keywords(given: Iterable[str]) -> None:
    """Raises TypeError for the first keyword that no call has, naming the nearest: also a field of a group."""
    groups = {
        field: f"{group.name}={{'{field}': …}}"
        for group in options_pb2.TransformOptions.DESCRIPTOR.fields
        if group.message_type is not None and group.message_type.file is options_pb2.DESCRIPTOR
        for field in group.message_type.fields_by_name
    }
    for name in given:
        if name not in _REQUEST_NAMES:
            near = difflib.get_close_matches(name, [*_REQUEST_NAMES, *groups], n=1)
            shown = near and (near[0] if near[0] in _REQUEST_NAMES else groups[near[0]])
            rest = f"did you mean {shown}?" if near else f"known are {', '.join(sorted(_REQUEST_NAMES))}"
            raise TypeError(f"unknown keyword '{name}': {rest}")


def check_names(given: Iterable[str], known: Iterable[str], *, what: str) -> None:
    """Raises TypeError for the first name that is unknown, naming the nearest that is known."""
    known = sorted(known)
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            rest = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
            raise TypeError(f"unknown {what} '{name}': {rest}")


def transform_options(keywords: Mapping[str, Any]) -> options_pb2.TransformOptions:
    """The options among the keywords of a call. Raises TypeError with the path of what does not fit."""
    options = options_pb2.TransformOptions()
    _fill(options, {name: value for name, value in keywords.items() if name in OPTION_NAMES}, "")
    return options


def preferences(values: Preferences | transform_pb2.Preferences) -> transform_pb2.Preferences:
    """Preferences as a message."""
    message = transform_pb2.Preferences()
    _fill(message, values, "preferences")
    return message


def seconds(value: Seconds) -> float:
    """Seconds of a duration."""
    return value.total_seconds() if isinstance(value, timedelta) else float(value)


def duration(value: Seconds | Duration) -> Duration:
    """A duration as a message."""
    if isinstance(value, Duration):
        return value
    message = Duration()
    message.FromNanoseconds(round(seconds(value) * 1e9))
    return message


def struct(values: Json) -> Struct:
    """JSON as a message. Whole numbers a double cannot hold become strings, as the contract says."""
    message = Struct()
    message.update({key: _json_value(value) for key, value in values.items()})
    return message


def _json_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(item) for item in value]
    return str(value) if type(value) is int and abs(value) > _EXACT else value


def _fill(message: Message, values: Mapping[str, Any] | Message, path: str) -> None:
    """Sets the fields of a message from a mapping with the names of the contract."""
    if isinstance(values, Message):
        if values.DESCRIPTOR is not message.DESCRIPTOR:
            raise TypeError(f"{path}: wants {message.DESCRIPTOR.name}, not {values.DESCRIPTOR.name}")
        message.CopyFrom(values)
        return
    if not isinstance(values, Mapping):
        raise TypeError(f"{path}: wants a dict, not {type(values).__name__}")
    fields = cast("Mapping[str, FieldDescriptor]", message.DESCRIPTOR.fields_by_name)
    check_names(values, fields, what=f"field of {path}" if path else "option")
    for name, value in values.items():
        if value is not None:
            _set(message, fields[name], value, f"{path}.{name}" if path else name)


def _set(message: Message, field: FieldDescriptor, value: Any, path: str) -> None:
    try:
        if field.is_repeated:
            if isinstance(value, str | bytes | Mapping):
                raise TypeError(f"wants a list, not {type(value).__name__}")
            target = getattr(message, field.name)
            if field.message_type is None:
                target.extend(value)
                return
            for place, item in enumerate(value):
                _fill(target.add(), item, f"{path}[{place}]")
        elif field.message_type is not None:
            _set_message(getattr(message, field.name), field.message_type, value, path)
        else:
            setattr(message, field.name, _scalar(field, value))
    except (TypeError, ValueError) as error:
        text = str(error)
        raise TypeError(text if path in text else f"{path}: {text}") from None


def _set_message(target: Message, kind: Descriptor, value: Any, path: str) -> None:
    if kind is Duration.DESCRIPTOR:
        target.CopyFrom(duration(value))
    elif kind is Struct.DESCRIPTOR:
        target.CopyFrom(value if isinstance(value, Struct) else struct(value))
    else:
        target.SetInParent()
        _fill(target, value, path)


def _scalar(field: FieldDescriptor, value: Any) -> Any:
    if field.enum_type is not None and isinstance(value, str):
        names = field.enum_type.values_by_name
        prefix = next(iter(names)).removesuffix("UNSPECIFIED")
        short = {name.removeprefix(prefix).lower(): item.number for name, item in names.items()}
        name = value.lower().removeprefix(prefix.lower())
        check_names([name], short, what="value")
        return short[name]
    if field.full_name in _JSON_TEXT and not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return value
