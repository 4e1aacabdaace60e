import json
from typing import Any

import pytest
from anthropic_provider import Anthropic
from mediaconduit.channels import open_channel
from mediaconduit.errors import InvalidRequestError, PreconditionError, Reason
from mediaconduit.v1.media_pb2 import Part, Role, Turn
from mediaconduit.v1.options_pb2 import Tool
from mediaconduit.v1.provider_pb2 import WatchGenerationsRequest
from mediaconduit.v1.provider_pb2_grpc import MediaProviderStub
from mediaconduit_provider.testing import serve
from mediaconduit_vendors.testing import Upstream, failure, json_reply, sse

MESSAGES = "POST /v1/messages"
MODEL = "claude-sonnet-4-5"
TOOL = Tool(name="weather", parameters_schema='{"type": "object"}')
YES, NO = {"supported": True}, {"supported": False}
LISTED = {
    "id": "claude-made-up-9",
    "type": "model",
    "display_name": "Claude Made Up 9",
    "created_at": "2026-10-01T00:00:00Z",
    "max_input_tokens": 500_000,
    "max_tokens": 64_000,
    "capabilities": {
        "image_input": YES,
        "pdf_input": NO,
        "structured_outputs": YES,
        "thinking": {**YES, "types": {"adaptive": YES, "enabled": NO}},
        "effort": {**YES, "low": YES, "medium": YES, "high": YES, "xhigh": None, "max": NO},
    },
}


def message(*content: dict[str, Any], reason: str = "end_turn", **more: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "model": MODEL,
        "content": list(content),
        "stop_reason": reason,
        "usage": {"input_tokens": 1, "output_tokens": 2},
        **more,
    }


DONE = json_reply(message({"type": "text", "text": "done"}))


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-made-up")


async def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    async with serve(Anthropic(), settings={}) as served:
        with pytest.raises(PreconditionError, match="needs a key") as failed:
            await served.model(MODEL).transform("hi")
    assert failed.value.metadata["variable"] == "ANTHROPIC_API_KEY"


async def test_models_are_discovered_page_by_page_with_what_the_vendor_says_of_them() -> None:
    pages = [
        json_reply({"data": [{"id": MODEL}], "has_more": True, "last_id": MODEL}),
        json_reply({"data": [LISTED], "has_more": False, "last_id": LISTED["id"]}),
    ]
    async with (
        Upstream({"GET /v1/models": pages}) as upstream,
        serve(Anthropic(), settings={"base_url": upstream.url}) as served,
    ):
        models = {model.name.rpartition("/")[2]: model for model in await served.client.models(refresh=True)}
        described = await served.model(LISTED["id"]).describe()
    assert list(models) == [MODEL, LISTED["id"]]
    found = models[LISTED["id"]]
    assert (found.display_name, found.context_tokens, found.max_output_tokens) == ("Claude Made Up 9", 500_000, 64_000)
    assert {"vision", "json-schema", "reasoning"} <= set(found.features)
    assert list(found.capabilities) == ["text-to-text", "image-to-text"]
    options = json.loads(described.options_schema)["properties"]["text"]["properties"]
    assert "reasoning_effort" in options
    assert "temperature" not in options
    assert "max_reasoning_tokens" not in options
    assert upstream.requests[1].query == [("limit", "1000"), ("after_id", MODEL)]
    assert upstream.requests[0].header("x-api-key") == "sk-made-up"
    assert upstream.requests[0].header("anthropic-version") == "2023-06-01"


async def test_reasoning_and_tool_calls_go_back_as_they_came() -> None:
    content = [
        {"type": "thinking", "thinking": "Where?", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "c2VhbGVk"},
        {"type": "text", "text": "Let me look."},
        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Bern", "days": 2}},
        {"type": "tool_use", "id": "toolu_2", "name": "weather", "input": {}},
    ]
    replies = [json_reply(message(*content, reason="tool_use")), DONE]
    async with (
        Upstream({MESSAGES: replies}) as upstream,
        serve(Anthropic(), settings={"base_url": upstream.url}) as served,
    ):
        model = served.model(MODEL)
        asked = Turn(role=Role.ROLE_USER, parts=[Part(text="Weather?")])
        first = await model.transform([asked], text={"tools": [TOOL], "reasoning_effort": "low"})
        results = [
            Part(tool_result={"call_id": call.id, "parts": [Part(text="rain")], "is_error": number == 1})
            for number, call in enumerate(first.tool_calls)
        ]
        answers = Turn(role=Role.ROLE_TOOL, parts=results)
        await model.transform([asked, first.turn, answers], text={"tools": [TOOL]})
    assert upstream.requests[0].json["thinking"] == {"type": "enabled", "budget_tokens": 2048}
    messages = upstream.requests[1].json["messages"]
    assert messages[1] == {"role": "assistant", "content": content}
    assert messages[2]["content"] == [
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain"},
        {"type": "tool_result", "tool_use_id": "toolu_2", "content": "rain", "is_error": True},
    ]


async def test_what_the_vendor_ran_goes_back_with_its_container_and_citations() -> None:
    ran = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "code_execution", "input": {"code": "1+1"}}
    printed = {
        "type": "code_execution_tool_result",
        "tool_use_id": "srvtoolu_1",
        "content": {
            "type": "code_execution_result",
            "stdout": "2",
            "stderr": "",
            "return_code": 0,
            "content": [],
        },
    }
    citation = {
        "type": "char_location",
        "cited_text": "2",
        "document_index": 0,
        "document_title": None,
        "start_char_index": 0,
        "end_char_index": 1,
        "file_id": None,
    }
    said = {"type": "text", "text": "It is 2.", "citations": [citation]}
    paused = message(ran, printed, said, reason="pause_turn", container={"id": "box_1", "expires_at": "2026-12-01"})
    async with (
        Upstream({MESSAGES: [json_reply(paused), DONE]}) as upstream,
        serve(Anthropic(), settings={"base_url": upstream.url}) as served,
    ):
        model = served.model(MODEL)
        asked = Turn(role=Role.ROLE_USER, parts=[Part(text="1+1?")])
        tools = [Tool(name="code_execution", hosted_tool="code_execution")]
        first = await model.transform([asked], text={"tools": tools})
        await model.transform([asked, first.turn], text={"tools": tools})
    assert first.finishes[0].vendor_reason == "pause_turn"
    assert json.loads(first.outputs[1].text)["stdout"] == "2"
    again = upstream.requests[1].json
    assert again["container"] == "box_1"
    back = {**said, "citations": [{key: value for key, value in citation.items() if key != "file_id"}]}
    assert again["messages"][1]["content"] == [ran, printed, back]
    assert again["tools"] == [{"type": "code_execution_20250825", "name": "code_execution"}]


async def test_a_refusal_says_of_which_kind() -> None:
    details = {"type": "refusal", "category": "bio", "explanation": "Not this."}
    reply = json_reply(message({"type": "text", "text": "No."}, reason="refusal", stop_details=details))
    async with (
        Upstream({MESSAGES: reply}) as upstream,
        serve(Anthropic(), settings={"base_url": upstream.url}) as served,
    ):
        result = await served.model(MODEL).transform("hi")
    assert (result.finishes[0].safety[0].label, result.notices[0].message) == ("bio", "Not this.")


async def test_json_is_asked_for_by_schema_and_in_words() -> None:
    schema = {"type": "object", "properties": {"who": {"type": "object"}}, "required": ["who"]}
    async with (
        Upstream({MESSAGES: DONE}) as upstream,
        serve(Anthropic(), settings={"base_url": upstream.url}) as served,
    ):
        await served.model(MODEL).transform("hi", text={"json_schema": json.dumps(schema)})
        await served.model(MODEL).transform("hi", text={"json_schema": "{}"})
    closed = {"type": "object", "additionalProperties": False}
    assert upstream.requests[0].json["output_config"] == {
        "format": {"type": "json_schema", "schema": {**schema, **closed, "properties": {"who": closed}}}
    }
    assert "JSON object" in upstream.requests[1].json["system"][0]["text"]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("prompt is too long: 210000 tokens > 200000 maximum", Reason.CONTEXT_TOO_LONG),
        ("Your credit balance is too low to access the Anthropic API.", Reason.QUOTA_EXCEEDED),
    ],
)
async def test_refusals_that_look_like_wrong_requests_have_their_own_reasons(said: str, reason: Reason) -> None:
    reply = failure(400, {"type": "error", "error": {"type": "invalid_request_error", "message": said}})
    async with (
        Upstream({MESSAGES: reply}) as upstream,
        serve(Anthropic(), settings={"base_url": upstream.url}) as served,
    ):
        with pytest.raises(Exception, match=said[:20]) as failed:
            await served.model(MODEL).transform("hi")
    assert failed.value.reason is reason  # type: ignore[attr-defined]


async def test_a_wrong_part_is_named_as_the_caller_knows_it() -> None:
    said = "messages.2.content.0.image.source.base64: Could not process image"
    reply = failure(400, {"type": "error", "error": {"type": "invalid_request_error", "message": said}})
    turns = [
        Turn(role=Role.ROLE_SYSTEM, parts=[Part(text="Be brief.")]),
        Turn(role=Role.ROLE_USER, parts=[Part(text="hi")]),
        Turn(role=Role.ROLE_ASSISTANT, parts=[Part(text="hello")]),
        Turn(role=Role.ROLE_USER, parts=[Part(text="this?")]),
    ]
    async with (
        Upstream({MESSAGES: reply}) as upstream,
        serve(Anthropic(), settings={"base_url": upstream.url}) as served,
    ):
        with pytest.raises(InvalidRequestError) as failed:
            await served.model(MODEL).transform(turns)
    assert failed.value.fields[0].field == "turns[3].parts[0]"


async def test_a_budget_beyond_the_limit_of_output_is_refused_before_the_vendor_is_asked() -> None:
    async with Upstream() as upstream, serve(Anthropic(), settings={"base_url": upstream.url}) as served:
        with pytest.raises(InvalidRequestError) as failed:
            await served.model(MODEL).transform("hi", text={"max_reasoning_tokens": 2000, "max_output_tokens": 1500})
    assert failed.value.fields[0].field == "options.text.max_reasoning_tokens"
    assert not upstream.requests


async def test_a_cut_call_counts_what_the_vendor_has_said() -> None:
    start = {"type": "message_start", "message": {"id": "m", "model": MODEL, "usage": {"input_tokens": 1000}}}
    begun = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    more = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x" * 40}}
    reply = sse(start, begun, more, names=True).stall(after=3)
    async with (
        Upstream({MESSAGES: reply}) as upstream,
        serve(Anthropic(), settings={"base_url": upstream.url}) as served,
    ):
        async with served.model(MODEL).stream("hi") as stream:
            async for event in stream:
                if event.text:
                    break
        async with open_channel(served.target) as channel:
            watch = MediaProviderStub(channel).WatchGenerations(WatchGenerationsRequest())
            usage = (await watch.read()).generations[0].usage
            watch.cancel()
    assert dict(usage.units) == {"input-token": 1000, "output-token": 10}
    assert usage.estimated


async def test_beta_features_are_switched_on() -> None:
    async with (
        Upstream({MESSAGES: DONE}) as upstream,
        serve(Anthropic(), settings={"base_url": upstream.url}) as served,
    ):
        await served.model(MODEL).transform("hi", extra={"betas": ["one", "two"]})
    assert upstream.requests[0].header("anthropic-beta") == "one,two"
    assert upstream.requests[0].query == [("beta", "true")]


async def test_a_conversation_that_another_vendor_began_goes_on() -> None:
    parts = [
        Part(reasoning={"text": "unsigned"}),
        Part(tool_call={"id": "ws.1", "name": "web_search", "arguments": "{}", "hosted": True}),
        Part(tool_result={"call_id": "ws.1", "parts": [Part(text="found")]}),
        Part(tool_call={"id": "call.1|a", "name": "weather", "arguments": "{}"}),
    ]
    turns = [
        Turn(role=Role.ROLE_USER, parts=[Part(text="Weather?")]),
        Turn(role=Role.ROLE_ASSISTANT, parts=parts),
        Turn(role=Role.ROLE_TOOL, parts=[Part(tool_result={"call_id": "call.1|a", "parts": [Part(text="sun")]})]),
    ]
    async with (
        Upstream({MESSAGES: DONE}) as upstream,
        serve(Anthropic(), settings={"base_url": upstream.url}) as served,
    ):
        await served.model(MODEL).transform(turns)
    _, said, answered = upstream.requests[0].json["messages"]
    assert said["content"] == [{"type": "tool_use", "id": "call_1_a", "name": "weather", "input": {}}]
    assert answered["content"][0]["tool_use_id"] == "call_1_a"
