"""Keywords become messages of the contract, and mistakes name the nearest."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, get_type_hints

import pytest
from mediaconduit import options
from mediaconduit.options import Request, check_keywords, struct, transform_options
from mediaconduit.v1 import options_pb2, transform_pb2
from mediaconduit.v1.options_pb2 import TIME_DETAIL_WORD, TOOL_CHOICE_REQUIRED, VIDEO_EDIT_EXTEND


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (options.TransformOptions, options_pb2.TransformOptions),
        (options.TextOptions, options_pb2.TextOptions),
        (options.AudioOptions, options_pb2.AudioOptions),
        (options.ImageOptions, options_pb2.ImageOptions),
        (options.VideoOptions, options_pb2.VideoOptions),
        (options.TranscriptOptions, options_pb2.TranscriptOptions),
        (options.EmbeddingOptions, options_pb2.EmbeddingOptions),
        (options.LiveOptions, options_pb2.LiveOptions),
        (options.Tool, options_pb2.Tool),
        (options.Speaker, options_pb2.Speaker),
        (options.Preferences, transform_pb2.Preferences),
    ],
)
def test_typed_dicts_have_the_fields_of_the_contract(typed: Any, message: Any) -> None:
    assert set(typed.__annotations__) == set(message.DESCRIPTOR.fields_by_name)


def test_every_field_of_a_request_has_a_keyword() -> None:
    elsewhere = {"model", "turns", "options"}
    asked = set(transform_pb2.TransformRequest.DESCRIPTOR.fields_by_name) - elsewhere
    assert asked <= set(Request.__annotations__)


def test_types_resolve_at_run_time() -> None:
    names = {"NamedInputs": object}
    assert "temperature" in get_type_hints(options.TextOptions, localns=names)


def test_groups_durations_enums_and_schemas() -> None:
    made = transform_options(
        {
            "seed": 7,
            "text": {"temperature": 0, "tool_choice": "required", "json_schema": {"b": 1, "a": "ö"}, "stop": ["x"]},
            "audio": {"times": "word", "duration": timedelta(seconds=2.5), "speakers": [{"name": "A", "voice": "amy"}]},
            "video": {"frame": {"width": 640}, "edit": "VIDEO_EDIT_EXTEND", "duration": 0.1},
            "live": {},
            "output_media_types": ["audio/wav"],
            "extra": {"n": [1, {"big": 2**53 + 1}]},
            "capability": "text-to-text",
        }
    )
    assert made.seed == 7
    assert made.text.HasField("temperature")
    assert made.text.tool_choice == TOOL_CHOICE_REQUIRED
    assert made.text.json_schema == '{"b": 1, "a": "ö"}'
    assert made.audio.times == TIME_DETAIL_WORD
    assert made.audio.duration.ToMilliseconds() == 2500
    assert made.audio.speakers[0].voice == "amy"
    assert made.video.frame.width == 640
    assert made.video.edit == VIDEO_EDIT_EXTEND
    assert made.video.duration.nanos == 100_000_000
    assert made.HasField("live")
    assert made.extra["n"][1]["big"] == str(2**53 + 1)


def test_tools_are_dicts_or_messages() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    tools = [{"name": "weather", "parameters_schema": schema}, options_pb2.Tool(name="time")]
    made = transform_options({"text": {"tools": tools}})
    assert json.loads(made.text.tools[0].parameters_schema) == schema
    assert made.text.tools[1].name == "time"


def test_none_is_absent() -> None:
    assert transform_options({"seed": None, "text": {"temperature": None}}).HasField("seed") is False


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"text": {"temprature": 1}}, "did you mean 'temperature'"),
        ({"text": {"temperature": "hot"}}, "text.temperature"),
        ({"text": {"tools": [{"nam": "x"}]}}, r"text.tools\[0\].*'name'"),
        ({"text": {"stop": "END"}}, "text.stop: wants a list"),
        ({"text": "hot"}, "text: wants a dict"),
        ({"audio": {"times": "words"}}, "audio.times.*'word'"),
        ({"audio": {"duration": "2s"}}, "audio.duration"),
        ({"seed": 1.5}, "seed"),
        ({"seed": 2**70}, "seed"),
        ({"text": options_pb2.AudioOptions()}, "text: wants TextOptions"),
    ],
)
def test_what_does_not_fit_is_a_type_error_with_its_path(keywords: dict[str, Any], said: str) -> None:
    with pytest.raises(TypeError, match=said):
        transform_options(keywords)


@pytest.mark.parametrize(
    ("keyword", "said"),
    [
        ("sed", "did you mean seed"),
        ("temperature", "did you mean text={'temperature'"),
        ("time_out", "did you mean timeout"),
        ("qqqq", "known are affinity_key"),
    ],
)
def test_an_unknown_keyword_names_the_nearest(keyword: str, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        check_keywords([keyword])


def test_structs_keep_small_numbers_as_numbers() -> None:
    assert dict(struct({"a": 1, "b": True, "c": None, "d": 2**53})) == {"a": 1, "b": True, "c": None, "d": 2**53}
