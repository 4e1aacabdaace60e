from __future__ import annotations

import json
from typing import Any

import pytest
from mediaconduit.errors import InvalidRequestError
from mediaconduit.v1.options_pb2 import TransformOptions
from mediaconduit_provider import Model
from mediaconduit_provider.options import OptionsSchema, option_at

SPEED = {"type": "number", "minimum": 0.5, "maximum": 3, "default": 1.0}
DECLARED: dict[str, dict[str, Any]] = {
    "seed": {"type": "integer"},
    "audio.speed": SPEED,
    "audio.duration": {"type": "number", "maximum": 10},
    "audio.times": {"enum": ["TIME_DETAIL_WORD"]},
    "video.frame.width": {"type": "integer"},
    "extra.gap": {"type": "integer"},
    "extra.deep": {"type": "object", "properties": {"a": {"type": "integer"}}},
}


def schema(declared: dict[str, dict[str, Any]] | None = None) -> OptionsSchema:
    return OptionsSchema(Model("m", ["text-to-audio"], options=DECLARED if declared is None else declared))


def options(extra: dict[str, Any] | None = None, **fields: Any) -> TransformOptions:
    made = TransformOptions(**fields)
    if extra is not None:
        made.extra.update(extra)
    return made


def refused(given: TransformOptions, declared: dict[str, dict[str, Any]] | None = None) -> dict[str, str]:
    with pytest.raises(InvalidRequestError) as raised:
        schema(declared).check(given)
    return {violation.field: violation.description for violation in raised.value.fields}


def test_the_document_nests_paths_and_allows_nothing_else() -> None:
    document = schema().document
    assert document["properties"]["audio"]["properties"]["speed"] == SPEED
    assert document["properties"]["video"]["properties"]["frame"]["properties"]["width"] == {"type": "integer"}
    assert document["additionalProperties"] is False and not document["properties"]["audio"]["additionalProperties"]
    assert list(json.loads(json.dumps(document))["properties"]) == ["seed", "audio", "video", "extra"]


def test_values_are_plain_durations_in_seconds_enums_by_name_numbers_whole() -> None:
    given = options({"gap": 12, "deep": {"a": 1}}, seed=7)
    given.audio.duration.FromMilliseconds(1500)
    given.audio.times = 2
    _, values, notices = schema().check(given)
    assert values == {
        "seed": 7,
        "audio": {"duration": 1.5, "times": "TIME_DETAIL_WORD"},
        "extra": {"gap": 12, "deep": {"a": 1}},
    }
    assert type(option_at(values, "extra.gap")) is int and not notices


def test_out_of_range_names_the_field_and_the_range() -> None:
    given = options({"gap": 1.5})
    given.audio.speed = 9
    given.video.frame.width = 1
    found = refused(given)
    assert set(found) == {"options.audio.speed", "options.extra.gap"}
    assert "number from 0.5 to 3" in found["options.audio.speed"]


def test_every_option_the_model_lacks_is_named() -> None:
    given = options({"other": 1}, seed=1)
    given.audio.pitch = 2
    given.text.temperature = 0.5
    assert set(refused(given)) == {"options.extra.other", "options.audio.pitch", "options.text.temperature"}
    assert refused(options(seed=1), {})["options.seed"] == "the model has no options"


def test_lenient_drops_them_from_message_and_values_with_notices() -> None:
    given = options({"other": {"x": 1}, "gap": 3}, lenient=True)
    given.audio.pitch = 2
    given.text.temperature = 0.5
    kept, values, notices = schema().check(given)
    assert values == {"extra": {"gap": 3}}
    assert not kept.audio.HasField("pitch") and not kept.text.HasField("temperature")
    assert list(kept.extra.fields) == ["gap"]
    assert given.audio.pitch == 2, "the request itself stays as it was sent"
    assert {notice.code for notice in notices} == {"OPTION_DROPPED"} and len(notices) == 3


def test_lenient_does_not_forgive_values_out_of_range() -> None:
    given = options(lenient=True)
    given.audio.speed = 9
    assert set(refused(given)) == {"options.audio.speed"}


@pytest.mark.parametrize(
    "given",
    [
        options(candidates=1),
        options({}),
        options(output_media_types=["audio/wav"], outputs_by_reference=True, lenient=True),
    ],
    ids=["one-candidate", "empty-extra", "for-the-host"],
)
def test_what_asks_for_nothing_special_is_taken_by_every_model(given: TransformOptions) -> None:
    _, values, notices = schema({}).check(given)
    assert not values and not notices


def test_several_candidates_are_an_option() -> None:
    assert set(refused(options(candidates=2), {})) == {"options.candidates"}


def test_an_absent_option_has_the_schemas_default() -> None:
    assert schema().default("audio.speed") == 1.0
    assert schema().default("seed") is None


@pytest.mark.parametrize("path", ["audio.sped", "speed", "lenient", "audio.speed.deep", "output_media_types"])
def test_a_path_that_no_option_has_is_the_authors_mistake(path: str) -> None:
    with pytest.raises(ValueError, match="no shared option"):
        schema({path: {}})


def test_an_option_is_not_declared_whole_and_in_parts() -> None:
    with pytest.raises(ValueError, match="whole and in parts"):
        schema({"extra.a": {}, "extra.a.b": {}})
