"""What a Claude is asked with: by what it takes, and by what the caller wants."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from mediaconduit.v1.options_pb2 import TextOptions, Tool
from mediaconduit_provider import InvalidRequestError
from mediaconduit_vendors.anthropic.abilities import Abilities, abilities_of, version_of
from mediaconduit_vendors.anthropic.options import options_of
from mediaconduit_vendors.anthropic.schemas import closed
from mediaconduit_vendors.anthropic.thinking import thinking_of
from mediaconduit_vendors.anthropic.tools import cache_control, tool_choice, tools_of
from mediaconduit_vendors.anthropic.usage import units_of

OLD = Abilities()
NEW = Abilities(sampling=False, budget=False, adaptive=True, efforts=("low", "medium", "high", "max"))


@pytest.mark.parametrize(
    ("model_id", "version"),
    [
        ("claude-3-5-sonnet-20241022", (3, 5)),
        ("claude-opus-4-20250514", (4, 0)),
        ("claude-sonnet-4-5-20250929", (4, 5)),
        ("claude-opus-4-6", (4, 6)),
        ("claude-opus-5", (5, 0)),
        ("claude-2.1", (2, 1)),
        ("claude-mythos-preview", (99, 0)),
        ("tiny", None),
    ],
)
def test_the_version_is_read_from_the_name(model_id: str, version: tuple[int, int] | None) -> None:
    assert version_of(model_id) == version


def test_what_the_vendor_states_wins_over_the_name() -> None:
    stated = {
        "thinking": {"supported": True, "types": {"adaptive": {"supported": False}, "enabled": {"supported": True}}},
        "effort": {"supported": True, "low": {"supported": True}, "max": None},
    }
    assert abilities_of("claude-opus-9", stated) == Abilities(sampling=False, budget=True, efforts=("low",))
    assert abilities_of("claude-opus-9") == Abilities(
        sampling=False, budget=False, adaptive=True, efforts=("low", "medium", "high", "xhigh", "max")
    )


def test_options_follow_from_what_a_model_takes() -> None:
    assert "text.temperature" in options_of(OLD, ())
    assert "text.temperature" not in options_of(NEW, ())
    assert "text.max_reasoning_tokens" in options_of(OLD, ("reasoning",))
    assert "text.max_reasoning_tokens" not in options_of(NEW, ("reasoning",))
    assert "text.reasoning_effort" not in options_of(NEW, ())


@pytest.mark.parametrize(
    ("options", "abilities", "thinking", "effort"),
    [
        ({}, NEW, None, None),
        ({"reasoning_effort": "none"}, NEW, {"type": "disabled"}, None),
        ({"reasoning_effort": "minimal"}, NEW, {"type": "adaptive"}, "low"),
        ({"reasoning_effort": "high"}, NEW, {"type": "adaptive"}, "high"),
        ({"reasoning_effort": "medium"}, OLD, {"type": "enabled", "budget_tokens": 8192}, None),
        ({"reasoning_effort": "max"}, OLD, {"type": "enabled", "budget_tokens": 9999}, None),
        ({"max_reasoning_tokens": 3000}, OLD, {"type": "enabled", "budget_tokens": 3000}, None),
    ],
)
def test_reasoning_is_asked_for_as_the_model_knows_it(
    options: dict[str, Any], abilities: Abilities, thinking: Any, effort: str | None
) -> None:
    assert thinking_of(TextOptions(**options), abilities, 10_000, None) == (thinking, effort)


def test_too_little_room_for_a_budget_is_no_reasoning() -> None:
    assert thinking_of(TextOptions(reasoning_effort="low"), OLD, 1000, None) == (None, None)


def test_how_reasoning_is_shown_is_said_with_it() -> None:
    thinking, _ = thinking_of(TextOptions(reasoning_effort="low"), NEW, 1000, "omitted")
    assert thinking == {"type": "adaptive", "display": "omitted"}


def test_objects_of_a_schema_are_closed_down_to_the_last() -> None:
    inner = {"type": "object", "properties": {"a": {"type": "array", "items": {"properties": {}}}}}
    schema = {"anyOf": [inner, {"type": "object", "additionalProperties": True}], "$defs": {"x": {"type": "object"}}}
    found = closed(schema)
    assert found["anyOf"][0]["additionalProperties"] is False
    assert found["anyOf"][0]["properties"]["a"]["items"]["additionalProperties"] is False
    assert found["anyOf"][1]["additionalProperties"] is True
    assert found["$defs"]["x"]["additionalProperties"] is False
    assert "additionalProperties" not in inner


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("web_search", {"type": "web_search_20250305", "name": "web_search"}),
        ("web_search_20260209", {"type": "web_search_20260209", "name": "web_search"}),
        ("text_editor", {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"}),
        ("text_editor_20250124", {"type": "text_editor_20250124", "name": "str_replace_editor"}),
    ],
)
def test_the_vendors_tools_are_named_as_it_wants(asked: str, sent: dict[str, str]) -> None:
    assert tools_of(TextOptions(tools=[Tool(name=asked, hosted_tool=asked)])) == [sent]


def test_what_only_the_vendor_knows_of_a_tool_goes_as_it_is() -> None:
    tool = Tool(name="t", parameters_schema='{"type": "object"}', strict=True, cache_ttl=Duration(seconds=3600))
    tool.extra.update({"eager_input_streaming": True, "input_examples": [{"n": 3}]})
    assert tools_of(TextOptions(tools=[tool])) == [
        {
            "name": "t",
            "input_schema": {"type": "object"},
            "eager_input_streaming": True,
            "input_examples": [{"n": 3}],
            "strict": True,
            "cache_control": {"type": "ephemeral", "ttl": "1h"},
        }
    ]
    assert cache_control(Duration(seconds=300))["ttl"] == "5m"


@pytest.mark.parametrize(
    ("tool", "field"),
    [
        (Tool(name="t"), "options.text.tools[0].parameters_schema"),
        (Tool(name="t", parameters_schema="["), "options.text.tools[0].parameters_schema"),
    ],
)
def test_a_tool_that_the_vendor_cannot_take_is_named(tool: Tool, field: str) -> None:
    with pytest.raises(InvalidRequestError) as failed:
        tools_of(TextOptions(tools=[tool]))
    assert failed.value.fields[0].field == field


def test_tools_that_are_allowed_must_be_there() -> None:
    with pytest.raises(InvalidRequestError, match="no such tool: b"):
        tools_of(TextOptions(allowed_tools=["b"]))


@pytest.mark.parametrize(
    ("options", "choice"),
    [
        ({}, {"type": "auto"}),
        ({"tool_choice": "TOOL_CHOICE_NONE", "parallel_tool_calls": False}, {"type": "none"}),
        ({"tool_choice": "TOOL_CHOICE_REQUIRED"}, {"type": "any"}),
        (
            {"tool_choice": "TOOL_CHOICE_REQUIRED", "allowed_tools": ["a"], "parallel_tool_calls": False},
            {"type": "tool", "name": "a", "disable_parallel_tool_use": True},
        ),
    ],
)
def test_whether_tools_are_called(options: dict[str, Any], choice: dict[str, Any]) -> None:
    assert tool_choice(TextOptions(**options)) == choice


def test_each_token_is_counted_once_and_nulls_are_none() -> None:
    usage = {
        "input_tokens": 5,
        "cache_read_input_tokens": None,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_1h_input_tokens": 20, "ephemeral_5m_input_tokens": 10},
        "output_tokens": 7,
        "server_tool_use": None,
    }
    counted = {unit: count for unit, count in units_of(usage).items() if count}
    assert counted == {"input-token": 5, "cache-write-token": 10, "cache-write-1h-token": 20, "output-token": 7}
