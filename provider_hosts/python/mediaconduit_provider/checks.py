"""Checks of the input that all providers share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from mediaconduit.errors import FieldViolation, InvalidRequestError, Reason
from mediaconduit.v1.media_pb2 import Part, Role, Turn
from mediaconduit.v1.options_pb2 import TransformOptions
from mediaconduit.v1.transform_pb2 import TransformRequest

from mediaconduit_provider.inputs import media_type_of
from mediaconduit_provider.media_types import is_text, matches
from mediaconduit_provider.provider import InputSpec, Model

_USER = frozenset({Role.ROLE_UNSPECIFIED, Role.ROLE_USER})
_MEDIA = frozenset({"text", "data", "asset", "stream"})


def check_request(request: TransformRequest, model: Model, *, live: bool) -> None:
    """Raises `InvalidRequestError` for input that the model cannot take. `live`: turns may come later."""
    empty_is_fine = live or (not request.turns and request.resume_token)
    if not empty_is_fine and not any(
        _has_content(part) for turn in request.turns for part in turn.parts if turn.role != Role.ROLE_SYSTEM
    ):
        raise InvalidRequestError.at("turns", "the input is empty", hint="send text, or a part with content")
    check_turns(request.turns, model, request.options)
    given = {part.name for turn in request.turns if turn.role in _USER for part in turn.parts}
    for spec in model.inputs:
        if spec.required and spec.name and spec.name not in given and not empty_is_fine:
            raise InvalidRequestError.at(
                "turns", f"input {spec.name!r} is missing", hint=f"add a part with the name {spec.name!r}"
            )
    _check_outputs(request.options, model)


def check_turns(turns: Iterable[Turn], model: Model, options: TransformOptions, *, first: int = 0) -> None:
    """Names, media types, sizes and numbers of the parts of user turns; fields begin at ``turns[first]``."""
    samples = samples_of(options)
    named: Counter[str] = Counter()
    violations: list[FieldViolation] = []
    for t, turn in enumerate(turns, first):
        if turn.role not in _USER:
            continue
        for p, part in enumerate(turn.parts):
            if part.WhichOneof("content") not in _MEDIA:
                continue
            field = f"turns[{t}].parts[{p}]"
            named[part.name] += bool(part.name)
            spec = spec_for(model, part.name, samples)
            violations += _part_violations(part, field, spec, model, named[part.name])
    if violations:
        more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
        raise InvalidRequestError(f"{violations[0].field}: {violations[0].description}{more}", fields=violations)


def spec_for(model: Model, name: str, samples: Iterable[str] = ()) -> InputSpec | None:
    """What the model says about inputs of that name; None when it knows none."""
    for spec in model.inputs:
        if spec.name == name:
            return spec
    if name in samples:
        return spec_for(model, "voice")
    return None if name else InputSpec()


def samples_of(options: TransformOptions) -> set[str]:
    """Names of inputs that hold samples of speakers: they are taken as "voice" is."""
    return {speaker.voice_part for speaker in options.audio.speakers if speaker.voice_part}


def limit_of(model: Model, name: str, options: TransformOptions) -> int:
    """Largest size of an input in bytes; 0 = no limit."""
    spec = spec_for(model, name, samples_of(options))
    return spec.max_bytes if spec is not None else 0


def infer_capability(model: Model, turns: Sequence[Turn]) -> str:
    """The capability meant where none was named: what suits the last user turn, else the first.

    An image with words about it is an image.
    """
    said = next((turn for turn in reversed(turns) if turn.role in _USER), Turn())
    kinds = [kind_of(part) for part in said.parts if not part.name]
    for kind in sorted(kinds, key=lambda kind: kind == "text"):
        for capability in model.capabilities:
            if capability.startswith(f"{kind}-to-"):
                return capability
    return model.capabilities[0] if model.capabilities else ""


def kind_of(part: Part) -> str:
    """Which kind of media a part is, as capabilities name it."""
    if part.HasField("text"):
        return "text"
    if is_text(media_type_of(part)):
        return "text"
    kind = media_type_of(part).partition("/")[0].lower()
    return {"model": "3d"}.get(kind, kind)


def _part_violations(part: Part, field: str, spec: InputSpec | None, model: Model, count: int) -> list[FieldViolation]:
    if spec is None:
        names = [repr(known.name) for known in model.inputs if known.name]
        there = f"it takes {', '.join(names)}" if names else "it takes no named inputs"
        return [FieldViolation(f"{field}.name", f"the model takes no input {part.name!r}; {there}")]
    found = []
    media_type = media_type_of(part)
    if spec.media_types and not any(matches(pattern, media_type) for pattern in spec.media_types):
        allowed = ", ".join(spec.media_types)
        found.append(FieldViolation(f"{field}.media_type", f"{media_type} is not taken here; allowed: {allowed}"))
    if part.name and count > max(spec.max_count, 1):
        found.append(
            FieldViolation(f"{field}.name", f"at most {max(spec.max_count, 1)} inputs {part.name!r} are taken")
        )
    if not _has_content(part) and (part.name or not part.HasField("text")):
        found.append(FieldViolation(field, "is empty"))
    if part.HasField("data") and is_text(media_type) and not _is_utf8(part.data):
        found.append(FieldViolation(field, f"says it is {media_type} but is not text in UTF-8"))
    if spec.max_bytes and (size := _size(part)) > spec.max_bytes:
        raise InvalidRequestError(
            f"{field} has {size} bytes; {model.id} takes at most {spec.max_bytes}",
            reason=Reason.INPUT_TOO_LARGE,
            metadata={"limit": str(spec.max_bytes), "actual": str(size)},
        )
    return found


def _check_outputs(options: TransformOptions, model: Model) -> None:
    wanted, made = options.output_media_types, model.output_media_types
    if not wanted or not made:
        return
    if not any(matches(pattern, media_type) for pattern in wanted for media_type in made):
        raise InvalidRequestError.at(
            "options.output_media_types", f"{', '.join(wanted)} cannot be made; allowed: {', '.join(made)}"
        )


def _has_content(part: Part) -> bool:
    content = part.WhichOneof("content")
    return bool(getattr(part, content)) if content in ("text", "data") else content is not None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _size(part: Part) -> int:
    if part.HasField("asset"):
        return part.asset.size_bytes
    return len(part.data) if part.HasField("data") else len(part.text.encode())
