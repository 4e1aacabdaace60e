"""What OpenAI gives comes back to it as it wants it: reasoning, calls, speech, images, videos."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from mediaconduit import Media, Result, user
from mediaconduit.errors import InvalidRequestError
from mediaconduit.v1.media_pb2 import Part, Role, ToolResult, Turn
from mediaconduit.v1.models_pb2 import Model as ModelMessage
from mediaconduit_provider.testing import Served, serve
from mediaconduit_vendors.testing import Request, Upstream, binary, json_reply, sse

from tests.integration.vendors.cases import openai
from tests.support.vendors.providers import provider_class

RESPONSES, CHAT = "POST /v1/responses", "POST /v1/chat/completions"


@pytest.fixture
async def upstream(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Upstream]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-made-up")
    async with Upstream(openai.MODELS) as upstream:
        yield upstream


@pytest.fixture
async def served(upstream: Upstream) -> AsyncIterator[Served]:
    settings = {"base_url": f"{upstream.url}/v1", "poll_interval": 0.01}
    async with serve(provider_class("openai")(), provider_id="openai", settings=settings) as served:
        yield served


def last(upstream: Upstream) -> Any:
    return upstream.requests[-1].json


def answered(call_id: str, *parts: Part) -> Turn:
    result = Part(tool_result=ToolResult(call_id=call_id, parts=parts))
    return Turn(role=Role.ROLE_TOOL, parts=[result])


def items(*output: dict[str, Any], **more: Any) -> Any:
    """An answer of these items, not streamed: a server may do that too."""
    usage = {"input_tokens": 3, "output_tokens": 4}
    response = {"id": "resp_2", "object": "response", "status": "completed", "model": "gpt-5", "usage": usage}
    return json_reply({**response, "output": output, **more})


def text_item(text: str = "ok", **more: Any) -> dict[str, Any]:
    content = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "id": "msg_9", "role": "assistant", "status": "completed", "content": [content], **more}


async def test_reasoning_and_calls_go_back_as_they_came(upstream: Upstream, served: Served) -> None:
    upstream.route(RESPONSES, [openai.RESPONSES.reply, items(text_item("Take one."))])
    model = served.model("gpt-5")
    first = await model.transform("Hat?", text={"tools": [openai.TOOL]})
    assert "reasoning.encrypted_content" in last(upstream)["include"]
    assert last(upstream)["store"] is False
    turns = [user("Hat?"), first.turn, answered("call_1", Part(text="windy"))]
    second = await model.transform(turns, text={"tools": [openai.TOOL]})
    assert second.text == "Take one."
    question, thought, search, message, call, result = last(upstream)["input"]
    assert question == {"role": "user", "content": "Hat?"}
    assert thought == openai.THOUGHT
    assert search == openai.SEARCH
    assert (message["id"], message["content"][0]["text"]) == ("msg_1", "Grüße 👋")
    assert call == {k: openai.CALLED[k] for k in ("type", "id", "call_id", "name", "arguments")}
    assert result == {"type": "function_call_output", "call_id": "call_1", "output": "windy"}


async def test_the_state_of_other_vendors_stays_away(upstream: Upstream, served: Served) -> None:
    upstream.route(RESPONSES, [openai.RESPONSES.reply, items(text_item())])
    model = served.model("gpt-5")
    turn = (await model.transform("Hat?")).turn
    for part in turn.parts:
        part.vendor_state.provider = "someone-else"
    await model.transform([user("Hat?"), turn, user("And now?")])
    _, message, call, _ = last(upstream)["input"]
    assert message == {"role": "assistant", "content": "Grüße 👋"}
    assert call["type"] == "function_call"
    assert "id" not in call


async def test_a_tool_of_free_text_has_its_own_kind_of_call(upstream: Upstream, served: Served) -> None:
    call = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_7", "name": "sql", "input": "SELECT 1"}
    events = [
        {"type": "response.output_item.added", "output_index": 0, "item": {**call, "input": ""}},
        {"type": "response.custom_tool_call_input.delta", "output_index": 0, "delta": "SELECT"},
        {"type": "response.custom_tool_call_input.delta", "output_index": 0, "delta": " 1"},
        {"type": "response.output_item.done", "output_index": 0, "item": call},
        {"type": "response.completed", "response": {"status": "completed", "output": [call]}},
    ]
    upstream.route(RESPONSES, [sse(*events), items(text_item())])
    model = served.model("gpt-5")
    tools = {"tools": [{"name": "sql", "description": "Runs it."}]}
    first = await model.transform("One?", text=tools)
    assert last(upstream)["tools"] == [{"type": "custom", "name": "sql", "description": "Runs it."}]
    assert [(found.name, found.arguments) for found in first.tool_calls] == [("sql", "SELECT 1")]
    await model.transform([user("One?"), first.turn, answered("call_7", Part(text="1"))], text=tools)
    assert last(upstream)["input"][1:] == [
        call,
        {"type": "custom_tool_call_output", "call_id": "call_7", "output": "1"},
    ]


async def test_what_a_hosted_tool_did_is_told_and_goes_back_whole(upstream: Upstream, served: Served) -> None:
    ran = {
        "type": "code_interpreter_call",
        "id": "ci_1",
        "status": "completed",
        "code": "print(1)",
        "container_id": "cntr_1",
        "outputs": [{"type": "logs", "logs": "1"}],
    }
    upstream.route(RESPONSES, [items(ran, text_item("1")), items(text_item())])
    model = served.model("gpt-4o-mini")
    tools = {"tools": [{"name": "python", "hosted_tool": "code_interpreter"}]}
    first = await model.transform("One?", text=tools)
    call, result, _ = first.outputs
    assert (call.part.tool_call.hosted, call.part.tool_call.name) == (True, "code_interpreter")
    assert json.loads(call.part.tool_call.arguments)["code"] == "print(1)"
    assert json.loads(result.part.tool_result.parts[0].text) == ran["outputs"]
    assert first.tool_calls == []
    asked = last(upstream)
    assert asked["tools"] == [{"type": "code_interpreter", "container": {"type": "auto"}}]
    assert asked["include"] == ["code_interpreter_call.outputs"]
    await model.transform([user("One?"), first.turn, user("Sure?")], text=tools)
    assert last(upstream)["input"][1] == ran


async def test_an_image_made_on_the_way_has_early_looks_and_goes_back(upstream: Upstream, served: Served) -> None:
    made = base64.b64encode(openai.PNG).decode()
    early = base64.b64encode(openai.PNG[:9]).decode()
    item = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": made}
    events = [
        {
            "type": "response.image_generation_call.partial_image",
            "output_index": 0,
            "partial_image_b64": early,
            "output_format": "png",
        },
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": {"status": "completed"}},
    ]
    upstream.route(RESPONSES, [sse(*events), items(text_item())])
    model = served.model("gpt-4o-mini")
    tools = {"tools": [{"name": "draw", "hosted_tool": "image_generation", "extra": {"partial_images": 1}}]}
    first = await model.transform("A cat", text=tools)
    assert last(upstream)["tools"] == [{"type": "image_generation", "partial_images": 1}]
    assert first.data == openai.PNG
    assert first.outputs[1].started.preview_of == 0
    await model.transform([user("A cat"), first.turn, user("With a hat")], text=tools)
    assert last(upstream)["input"][1] == item


@pytest.mark.parametrize(
    ("more", "reason", "word"),
    [
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, 2, "max_output_tokens"),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, 4, "content_filter"),
        ({"output": [text_item(content=[{"type": "refusal", "refusal": "No."}])]}, 5, "completed"),
    ],
)
async def test_why_an_answer_ended(
    more: dict[str, Any], reason: int, word: str, upstream: Upstream, served: Served
) -> None:
    upstream.route(RESPONSES, items(text_item("No."), **more))
    result = await served.model("gpt-5").transform("hi")
    assert result.text == "No."
    assert [(finish.reason, finish.vendor_reason) for finish in result.finishes] == [(reason, word)]


async def test_options_choose_between_chat_and_responses(upstream: Upstream, served: Served) -> None:
    upstream.route(CHAT, openai.CHAT.reply)
    upstream.route(RESPONSES, items(text_item()))

    async def path(model: str, **keywords: Any) -> str:
        await served.model(model).transform("hi", **keywords)
        return upstream.requests[-1].path.removeprefix("/v1/")

    assert await path("gpt-4o-mini") == "chat/completions"
    assert await path("gpt-5") == "responses"
    assert await path("gpt-5", seed=1) == "chat/completions"
    assert await path("gpt-4o-mini", extra={"previous_response_id": "resp_1"}) == "responses"
    assert last(upstream)["previous_response_id"] == "resp_1"
    with pytest.raises(InvalidRequestError) as failed:
        await path("gpt-5", seed=1, extra={"previous_response_id": "resp_1"})
    assert [violation.field for violation in failed.value.fields] == ["options.seed"]
    result = await served.model("gpt-5").transform("hi", seed=1, extra={"api": "responses"}, lenient=True)
    assert [notice.code for notice in result.notices] == ["OPTION_DROPPED"]
    assert "seed" not in last(upstream)


async def test_speech_in_a_conversation_comes_back_by_its_id(upstream: Upstream, served: Served) -> None:
    def spoken(**audio: Any) -> dict[str, Any]:
        return {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"audio": audio}, "finish_reason": None}]}

    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    samples = base64.b64encode(bytes([1, 2, 3])).decode(), base64.b64encode(bytes([4])).decode()
    events = (spoken(id="audio_1", transcript="Hel"), spoken(data=samples[0], transcript="lo"), spoken(data=samples[1]))
    upstream.route(CHAT, [sse(*events, end, "[DONE]"), openai.CHAT.reply])
    model = served.model("gpt-4o-audio-preview-2025-06-03")
    first = await model.transform("Hi", capability="text-to-audio", audio={"voice": "ash"})
    asked = last(upstream)
    assert (asked["modalities"], asked["audio"]) == (["text", "audio"], {"voice": "ash", "format": "pcm16"})
    assert first.data == bytes([2, 1, 4, 3])
    assert first.text == "Hello"
    await model.transform([user("Hi"), first.turn, user("And you?")])
    assert last(upstream)["messages"][1] == {"role": "assistant", "audio": {"id": "audio_1"}, "content": ""}


async def test_a_search_model_cites_and_searches(upstream: Upstream, served: Served) -> None:
    source = {"url": "https://example.com/", "title": "Weather", "start_index": 2, "end_index": 5}
    chunks = [
        {"choices": [{"index": 0, "delta": {"content": "Grüße"}}]},
        {"choices": [{"index": 0, "delta": {"annotations": [{"type": "url_citation", "url_citation": source}]}}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ]
    upstream.route(CHAT, sse(*chunks, "[DONE]"))
    result = await served.model("gpt-4o-mini-search-preview").transform("Weather?")
    assert last(upstream)["web_search_options"] == {}
    (citation,) = result.outputs[0].part.citations
    assert (citation.uri, citation.start_byte, citation.end_byte) == ("https://example.com/", 2, 7)


async def test_a_video_is_changed_and_extended_by_its_id(upstream: Upstream, served: Served) -> None:
    done = json_reply(openai._video("completed", 100))
    content = binary(openai.MP4, "video/mp4")
    for path in ("", "/edits", "/extensions"):
        upstream.route(f"POST /v1/videos{path}", json_reply(openai._video("queued", 0)))
    upstream.route("GET /v1/videos/video_1", done)
    upstream.route("GET /v1/videos/video_1/content", content)

    async def submitted(*turns: Any, **video: Any) -> tuple[Request, Result]:
        before = len(upstream.requests)
        result = await served.model("sora-2").transform(list(turns), video=video)
        return upstream.requests[before], result

    _, first = await submitted("a cat")
    changed, _ = await submitted(user("a cat"), first.turn, user("a hat on it"), edit="change")
    assert changed.path == "/v1/videos/edits"
    assert changed.json == {"video": {"id": "video_1"}, "prompt": "a hat on it"}
    extended, _ = await submitted(user("a cat"), first.turn, user("it sleeps"), edit="extend", duration=8)
    assert extended.path == "/v1/videos/extensions"
    assert extended.json == {"video": {"id": "video_1"}, "prompt": "it sleeps", "seconds": "8"}


async def test_an_image_that_was_made_is_changed_in_the_next_turn(upstream: Upstream, served: Served) -> None:
    upstream.route("POST /v1/images/generations", openai.IMAGE.reply)
    upstream.route("POST /v1/images/edits", openai.IMAGE_EDIT.reply)
    chat = served.model("gpt-image-1.5").conversation()
    await chat.send("a cat", image={"previews": 1})
    await chat.send("with a hat")
    form = {field.name: field for field in upstream.requests[-1].form}
    assert form["image"].data == openai.PNG
    assert (form["image"].media_type, form["prompt"].text) == ("image/png", "with a hat")


async def test_options_of_making_and_of_editing_are_told_apart(upstream: Upstream, served: Served) -> None:
    upstream.route("POST /v1/images/edits", openai.IMAGE_EDIT.reply)
    model = served.model("gpt-image-1.5")
    content = ["a hat on it", Media(openai.PNG, "image/png")]
    with pytest.raises(InvalidRequestError) as failed:
        await model.transform(content, extra={"moderation": "low"})
    assert [violation.field for violation in failed.value.fields] == ["options.extra.moderation"]
    result = await model.transform(content, extra={"moderation": "low"}, lenient=True)
    assert [notice.code for notice in result.notices] == ["OPTION_DROPPED"]
    assert "moderation" not in {field.name for field in upstream.requests[-1].form}
    await model.transform("a hat on it", inputs={"reference": Media(openai.PNG, "image/png")})
    assert upstream.requests[-1].path == "/v1/images/edits"


async def test_models_are_what_the_key_may_use(upstream: Upstream, served: Served) -> None:
    def known(models: list[ModelMessage]) -> dict[str, list[str]]:
        return {model.name.rpartition("/")[2]: list(model.capabilities) for model in models}

    found = known(list(await served.client.models(refresh=True)))
    assert found["gpt-5"] == ["text-to-text", "image-to-text"]
    assert found["sora-2"] == ["text-to-video", "image-to-video", "video-to-video"]
    assert found["omni-moderation-latest"] == ["text-to-scores", "image-to-scores"]
    assert len(found) == 11
