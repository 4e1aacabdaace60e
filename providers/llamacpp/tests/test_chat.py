import json

import pytest
from llamacpp_provider.chat import items, messages, tools
from mediaconduit.v1.options_pb2 import TextOptions, Tool
from mediaconduit_provider import InvalidRequestError, Part, Reasoning, Role, ToolCall, ToolResult, Turn

WEATHER = Tool(name="weather", description="Of a city", parameters_schema='{"type": "object"}')


def turn(role, *parts):
    return Turn(role=role, parts=parts)


def said(role, *texts):
    return turn(role, *(Part(text=text) for text in texts))


@pytest.mark.parametrize(
    ("role", "name"),
    [
        (Role.ROLE_UNSPECIFIED, "user"),
        (Role.ROLE_USER, "user"),
        (Role.ROLE_SYSTEM, "system"),
        (Role.ROLE_ASSISTANT, "assistant"),
    ],
)
def test_a_turn_is_a_message_with_its_parts_joined(role, name):
    assert list(messages(said(role, "one", "two"), 0)) == [{"role": name, "content": "one\ntwo"}]


def test_a_call_of_a_tool_and_its_result_go_back_as_the_engine_wrote_them():
    call = ToolCall(id="c1", name="weather", arguments='{"city": "Rome"}')
    asked = turn(Role.ROLE_ASSISTANT, Part(reasoning=Reasoning(text="hm")), Part(tool_call=call))
    answered = turn(Role.ROLE_TOOL, Part(tool_result=ToolResult(call_id="c1", parts=[Part(text="sunny")])))
    function = {"name": "weather", "arguments": '{"city": "Rome"}'}
    assert list(messages(asked, 0)) == [
        {
            "role": "assistant",
            "content": "",
            "reasoning_content": "hm",
            "tool_calls": [{"id": "c1", "type": "function", "function": function}],
        }
    ]
    assert list(messages(answered, 1)) == [{"role": "tool", "tool_call_id": "c1", "content": "sunny"}]


def test_a_part_that_is_no_text_is_refused_where_it_stands():
    picture = turn(Role.ROLE_USER, Part(text="see"), Part(data=b"x", media_type="image/png"))
    with pytest.raises(InvalidRequestError) as caught:
        list(messages(picture, 3))
    assert [found.field for found in caught.value.fields] == ["turns[3].parts[1]"]


def test_each_user_turn_is_an_item_after_the_text_of_the_system():
    turns = [said(Role.ROLE_SYSTEM, "query: "), said(Role.ROLE_USER, "a"), said(Role.ROLE_USER, "b", "c")]
    assert items(turns) == ["query: a", "query: b\nc"]


@pytest.mark.parametrize("turns", [[], [said(Role.ROLE_SYSTEM, "query: ")], [said(Role.ROLE_USER, "")]])
def test_nothing_to_embed_is_refused(turns):
    with pytest.raises(InvalidRequestError):
        items(turns)


def test_only_tools_that_are_allowed_are_offered():
    other = Tool(name="other", parameters_schema='{"type": "object"}')
    offered = tools(TextOptions(tools=[WEATHER, other], allowed_tools=["weather"]))
    assert offered == [
        {
            "type": "function",
            "function": {"name": "weather", "description": "Of a city", "parameters": {"type": "object"}},
        }
    ]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (TextOptions(tools=[WEATHER], allowed_tools=["no"]), "options.text.allowed_tools"),
        (TextOptions(tools=[Tool(name="x")]), "options.text.tools[0].parameters_schema"),
        (TextOptions(tools=[Tool(name="x", parameters_schema="{")]), "options.text.tools[0].parameters_schema"),
        (
            TextOptions(tools=[Tool(name="x", parameters_schema=json.dumps([1]))]),
            "options.text.tools[0].parameters_schema",
        ),
        (TextOptions(tools=[Tool(name="x", hosted_tool="web_search")]), "options.text.tools[0].hosted_tool"),
    ],
)
def test_tools_the_engine_cannot_offer_are_refused(options, field):
    with pytest.raises(InvalidRequestError) as caught:
        tools(options)
    assert [found.field for found in caught.value.fields] == [field]
