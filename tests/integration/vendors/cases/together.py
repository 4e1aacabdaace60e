"""Together, with answers as its description and its guides show them."""

from __future__ import annotations

from typing import Any

from mediaconduit import Media, Result, user
from mediaconduit.v1.events_pb2 import FinishReason
from mediaconduit.v1.media_pb2 import Asset
from mediaconduit_vendors.testing import json_reply, sse

from tests.integration.vendors.cases.together_media import CASES as MEDIA
from tests.integration.vendors.cases.together_wire import (
    ERROR_EVENT,
    JPEG,
    REFUSALS,
    case,
    wrong,
)

# -- text -------------------------------------------------------------------------------------------------------------


def _chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    """The choice's members beside its delta are in `more`."""
    choice = {"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": finish, **more}
    about = {"id": "o1", "object": "chat.completion.chunk", "created": 1, "model": "acme/talk-7B"}
    return {**about, "choices": [choice], "usage": None}


def _last(finish: str, **more: Any) -> dict[str, Any]:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, **more}
    return {**_chunk({"content": ""}, finish), "usage": usage, "warnings": [{"message": "made up"}]}


def _check_chat(result: Result) -> None:
    assert (result.text, result.reasoning) == ("Grüße 👋", "They greet.")
    assert dict(result.usage.units) == {"input-token": 10, "output-token": 5}
    assert result.usage.nano_cost == 10 * 500 + 5 * 1000
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_STOP
    assert result.provenance.vendor_response_id == "o1"
    assert [(notice.code, notice.message) for notice in result.notices] == [("VENDOR_WARNING", "made up")]


CHAT = case(
    "chat",
    "/v1/chat/completions",
    _check_chat,
    model="acme/talk-7B",
    refusals=(*REFUSALS, wrong("temperature", "options.text.temperature")),
    keywords={
        "seed": 1,
        "system": "Be kind.",
        "text": {
            "temperature": 0.5,
            "top_k": 40,
            "stop": ["END"],
            "max_output_tokens": 50,
            "reasoning_effort": "high",
            "json_schema": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        },
        "extra": {"min_p": 0.1, "repetition_penalty": 1.1, "logit_bias": {"1": -2}, "safety_model": "acme/guard"},
    },
    reply=sse(
        _chunk({"content": "", "reasoning": "They "}),
        _chunk({"content": None, "reasoning": "greet."}),
        _chunk({"content": "Grü"}),
        _chunk({"content": "ße 👋"}),
        _last("eos"),
        "[DONE]",
    ),
    stream_error=ERROR_EVENT,
)


def _check_tools(result: Result) -> None:
    assert result.text == "Let me."
    assert [(call.id, call.name, call.arguments) for call in result.tool_calls] == [
        ("call_1", "wear", '{"hat":true}'),
        ("call_2", "wear", '{"hat":false}'),
    ]
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_TOOL_CALLS
    first, second = result.outputs[0].logprobs
    assert (first.token, round(first.logprob, 3), first.alternatives[0].token) == (b"Let", -0.1, b"Well")
    assert (second.token, list(second.alternatives)) == (b" me.", [])


def _piece(index: int, **more: Any) -> dict[str, Any]:
    return _chunk({"tool_calls": [{"index": index, **more}]})


def _called(call_id: str, arguments: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": "wear", "arguments": arguments}}


WEAR = {
    "name": "wear",
    "description": "Puts it on.",
    "parameters_schema": {"type": "object", "properties": {"hat": {"type": "boolean"}}},
}
TOOLS = case(
    "chat",
    "/v1/chat/completions",
    _check_tools,
    variant="with tools",
    model="acme/talk-7B",
    keywords={
        "text": {
            "tools": [WEAR, {"name": "sing"}],
            "tool_choice": "required",
            "allowed_tools": ["wear"],
            "top_logprobs": 1,
            "reasoning_effort": "none",
        }
    },
    reply=sse(
        _chunk({"content": "Let"}, logprobs=-0.1, top_logprobs={"Well": -2.0}),
        _chunk({"content": " me."}, logprobs=-0.2),
        _piece(0, **_called("call_1", "")),
        _piece(1, **_called("call_2", '{"hat"')),
        _piece(0, function={"arguments": '{"hat":true}'}),
        _piece(1, function={"arguments": ":false}"}),
        _last("tool_calls"),
        "[DONE]",
    ),
    stream_error=ERROR_EVENT,
)


def _check_seen(result: Result) -> None:
    assert result.text == "A fox, running."
    assert dict(result.usage.units) == {"input-token": 6, "cached-input-token": 4, "output-token": 5}


VISION = case(
    "chat with vision",
    "/v1/chat/completions",
    _check_seen,
    model="acme/talk-VL-7B",
    content=[
        "What is it?",
        Media(JPEG, "image/jpeg"),
        Asset(uri="https://example.com/a.png", media_type="image/png"),
    ],
    refusals=(*REFUSALS, wrong("messages", "turns")),
    reply=sse(
        _chunk({"content": "A fox, "}), _chunk({"content": "running."}), _last("stop", cached_tokens=4), "[DONE]"
    ),
    stream_error=ERROR_EVENT,
)


def _check_completion(result: Result) -> None:
    assert result.text == " there was a fox"
    assert [token.token for token in result.outputs[0].logprobs] == [b" there", b" was", b" a fox"]
    assert dict(result.usage.units) == {"input-token": 4, "output-token": 3}
    assert result.usage.nano_cost == 4 * 200 + 3 * 400
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_LENGTH


def _continued(choice: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    token = {"id": 1, "text": "", "logprob": 0, "special": False}
    about = {"id": "o2", "object": "completion.chunk", "created": 1, "token": token, "model": "acme/base-7B"}
    return {**about, "choices": [{"index": 0, **choice}], "usage": None, "finish_reason": finish, **more}


COMPLETIONS = case(
    "completions",
    "/v1/completions",
    _check_completion,
    model="acme/base-7B",
    content="Once upon a time",
    keywords={"text": {"max_output_tokens": 3, "top_p": 0.9, "top_logprobs": 1}, "extra": {"min_p": 0.1}},
    refusals=(*REFUSALS, wrong("max_tokens", "options.text.max_output_tokens")),
    reply=sse(
        _continued({"text": " there", "logprobs": -0.5}),
        _continued(
            {
                "text": " was",
                "delta": None,
                "logprobs": {"tokens": [" was"], "token_logprobs": [-1], "top_logprobs": []},
            }
        ),
        _continued(
            {"text": None, "delta": {"role": "assistant", "content": " a fox"}, "logprobs": -0.25},
            "length",
            usage={"prompt_tokens": 4, "completion_tokens": 3, "total_tokens": 7},
        ),
        "[DONE]",
    ),
    stream_error=ERROR_EVENT,
)


# -- embeddings, ranks ------------------------------------------------------------------------------------------------


def _check_embeddings(result: Result) -> None:
    assert [list(found.values) for found in result.embeddings] == [[0.5, -0.25], [1.0, 0.0]]
    assert (dict(result.usage.units), result.usage.estimated) == ({"input-token": 3}, True)
    assert result.usage.nano_cost == 30


EMBEDDINGS = case(
    "embeddings",
    "/v1/embeddings",
    _check_embeddings,
    model="acme/embed",
    content=[user("first"), user("second")],
    refusals=(*REFUSALS, wrong("input", "turns")),
    streams=False,
    reply=json_reply(
        {
            "object": "list",
            "model": "acme/embed",
            "data": [
                {"object": "embedding", "index": 0, "embedding": [0.5, -0.25]},
                {"object": "embedding", "index": 1, "embedding": [1.0, 0.0]},
            ],
        }
    ),
)


def _check_ranks(result: Result) -> None:
    assert result.scores is not None
    found = [(score.input, score.label, score.value) for score in result.scores.scores]
    assert found == [(1, "", 0.9), (0, "", 0.1)]
    assert dict(result.usage.units) == {"input-token": 12}
    assert result.usage.nano_cost == 1200


RANKS = json_reply(
    {
        "object": "rerank",
        "id": "r1",
        "model": "acme/rank",
        "results": [
            {"index": 0, "relevance_score": 0.1, "document": None},
            {"index": 1, "relevance_score": 0.9, "document": {"text": None}},
        ],
        "usage": {"prompt_tokens": 12, "completion_tokens": 0, "total_tokens": 12},
    }
)
RERANK = case(
    "rerank",
    "/v1/rerank",
    _check_ranks,
    model="acme/rank",
    content=[user("A fox is an animal."), user("Rust is a language.")],
    keywords={"inputs": {"query": "Which languages are there?"}, "extra": {"top_n": 2}},
    refusals=(*REFUSALS, wrong("documents", "turns"), wrong("top_n", "options.extra.top_n")),
    streams=False,
    reply=RANKS,
)
RERANK_OBJECTS = case(
    "rerank",
    "/v1/rerank",
    _check_ranks,
    variant="of objects",
    model="acme/rank",
    content=[user(Media(b'{"title": "%s"}' % title, "application/json")) for title in (b"Foxes", b"Rust")],
    keywords={"inputs": {"query": "Which languages are there?"}, "extra": {"rank_fields": ["title"]}},
    streams=False,
    reply=RANKS,
)


CASES = [
    CHAT,
    TOOLS,
    VISION,
    COMPLETIONS,
    EMBEDDINGS,
    RERANK,
    RERANK_OBJECTS,
    *MEDIA,
]
NOT_APPLICABLE: dict[str, str] = {}
