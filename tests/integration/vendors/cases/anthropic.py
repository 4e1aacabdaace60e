"""Anthropic's messages."""

from __future__ import annotations

import json
from typing import Any

from mediaconduit import Result
from mediaconduit.errors import Reason
from mediaconduit.v1.events_pb2 import FinishReason
from mediaconduit.v1.media_pb2 import Part, Role, Turn
from mediaconduit.v1.options_pb2 import Tool
from mediaconduit_vendors.testing import json_reply, sse

from tests.integration.vendors.matrix import Case, Refusal

MODEL = "claude-sonnet-4-5"
PNG = b"\x89PNG\r\n\x1a\n made up"
WEATHER = Tool(
    name="weather",
    description="Tells the weather.",
    parameters_schema='{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}',
)
ERRORS = {
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}


def errors(status: int) -> Any:
    return {"type": "error", "error": {"type": ERRORS[status], "message": "made up"}, "request_id": "req_1"}


def start(**usage: Any) -> dict[str, Any]:
    counted = {"input_tokens": 12, "output_tokens": 1, "service_tier": "standard", **usage}
    return {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-4-5-20250929",
            "content": [],
            "stop_reason": None,
            "usage": counted,
        },
    }


def end(reason: str = "end_turn", output_tokens: int = 9, **delta: Any) -> list[dict[str, Any]]:
    return [
        {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None, **delta},
            "usage": {"output_tokens": output_tokens},
        },
        {"type": "message_stop"},
    ]


def block(index: int, content: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": content},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def text(index: int, *pieces: str) -> list[dict[str, Any]]:
    return block(index, {"type": "text", "text": ""}, *({"type": "text_delta", "text": each} for each in pieces))


def arguments(*pieces: str) -> list[dict[str, Any]]:
    return [{"type": "input_json_delta", "partial_json": each} for each in pieces]


STREAM_ERROR = sse(
    {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, names=True
).pieces[0]


def invalid(message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": "invalid_request_error", "message": message}}


REFUSALS = (
    Refusal(400, invalid("prompt is too long: 210000 tokens > 200000 maximum"), Reason.CONTEXT_TOO_LONG),
    Refusal(400, invalid("Your credit balance is too low."), Reason.QUOTA_EXCEEDED),
    Refusal(400, invalid("temperature: range: 0..1"), Reason.INPUT_INVALID, "options.text.temperature"),
    Refusal(400, invalid("messages.0.content.0.text: too odd"), Reason.INPUT_INVALID, "turns[0].parts[0]"),
    Refusal(
        413,
        {"type": "error", "error": {"type": "request_too_large", "message": "too large"}},
        Reason.INPUT_TOO_LARGE,
    ),
)
SHARED: dict[str, Any] = {
    "vendor": "anthropic",
    "path": "/v1/messages",
    "description": "anthropic/openapi.yaml",
    "errors": errors,
    "model": MODEL,
    "first": 4,
    "stream_error": STREAM_ERROR,
    "stream_error_reason": Reason.VENDOR_UNAVAILABLE,
}


def check_text(result: Result) -> None:
    assert result.text == "Grüße, Welt 🎉"
    assert dict(result.usage.units) == {"input-token": 12, "output-token": 9}
    assert result.usage.nano_cost == 12 * 3000 + 9 * 15000
    assert result.provenance.vendor_response_id == "msg_1"
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_STOP


def check_tools(result: Result) -> None:
    assert [(call.id, call.name, json.loads(call.arguments)) for call in result.tool_calls] == [
        ("toolu_1", "weather", {"city": "Bern"}),
        ("toolu_2", "weather", {"city": "Genève"}),
    ]
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_TOOL_CALLS


def check_thinking(result: Result) -> None:
    assert (result.reasoning, result.text) == ("Let me see.", "42")
    thought, sealed, _ = result.turn.parts
    assert json.loads(thought.vendor_state.data) == {"signature": "c2ln"}
    assert sealed.reasoning.redacted


def check_search(result: Result) -> None:
    call, found, said = result.turn.parts
    assert (call.tool_call.name, call.tool_call.hosted) == ("web_search", True)
    assert found.tool_result.call_id == call.tool_call.id
    assert (said.text, said.citations[0].uri) == ("It rains.", "https://example.com/w")
    assert result.usage.units["search"] == 1


def check_document(result: Result) -> None:
    assert result.text == "The grass is green."
    citation = result.turn.parts[0].citations[0]
    assert (citation.title, citation.quote) == ("Facts", "The grass is green.")
    assert dict(citation.location)["start_char_index"] == 0


def check_cached(result: Result) -> None:
    units = {"input-token": 12, "cached-input-token": 1000, "cache-write-token": 300, "cache-write-1h-token": 200}
    assert dict(result.usage.units) == {**units, "output-token": 9}
    assert result.usage.nano_cost == 12 * 3000 + 1000 * 300 + 300 * 3750 + 200 * 6000 + 9 * 15000


def check_count(result: Result) -> None:
    assert result.json() == {"input_tokens": 2095}
    assert (dict(result.usage.units), result.usage.nano_cost) == ({}, 0)


CITATION = {
    "type": "char_location",
    "cited_text": "The grass is green.",
    "document_index": 0,
    "document_title": "Facts",
    "start_char_index": 0,
    "end_char_index": 19,
    "file_id": None,
}
FOUND = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "caller": {"type": "direct"},
    "content": [
        {
            "type": "web_search_result",
            "url": "https://example.com/w",
            "title": "Weather",
            "encrypted_content": "c2VhbGVk",
            "page_age": None,
        }
    ],
}
CITED = {
    "type": "web_search_result_location",
    "url": "https://example.com/w",
    "title": "Weather",
    "encrypted_index": "aQ==",
    "cited_text": "rain",
}
HISTORY = [
    Turn(role=Role.ROLE_SYSTEM, parts=[Part(text="Be brief.")]),
    Turn(role=Role.ROLE_USER, parts=[Part(text="Weather?")]),
    Turn(
        role=Role.ROLE_ASSISTANT,
        parts=[Part(tool_call={"id": "toolu_0", "name": "weather", "arguments": '{"city": "Rom"}'})],
    ),
    Turn(role=Role.ROLE_TOOL, parts=[Part(tool_result={"call_id": "toolu_0", "parts": [Part(text="sun")]})]),
    Turn(role=Role.ROLE_USER, parts=[Part(text="And elsewhere?")]),
]
CASES = [
    Case(
        operation="messages",
        reply=sse(start(), {"type": "ping"}, *text(0, "Grüße", ", ", "Welt 🎉"), *end(), names=True),
        check=check_text,
        keywords={"text": {"temperature": 0.5, "top_k": 5, "stop": ["\n\n"], "max_output_tokens": 100}},
        refusals=REFUSALS,
        **SHARED,
    ),
    Case(
        operation="messages",
        variant="web search",
        reply=sse(
            start(),
            *block(
                0,
                {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
                *arguments('{"query": ', '"weather"}'),
            ),
            *block(1, FOUND),
            *block(
                2,
                {"type": "text", "text": "", "citations": []},
                {"type": "text_delta", "text": "It rains."},
                {"type": "citations_delta", "citation": CITED},
            ),
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn"},
                "usage": {"output_tokens": 9, "server_tool_use": {"web_search_requests": 1}},
            },
            {"type": "message_stop"},
            names=True,
        ),
        check=check_search,
        keywords={"text": {"tools": [Tool(name="web_search", hosted_tool="web_search", extra={"max_uses": 3})]}},
        **SHARED,
    ),
    Case(
        operation="tools",
        reply=sse(
            start(),
            *text(0, "Let me look."),
            *block(
                1,
                {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}},
                *arguments("", '{"city": ', '"Bern"}'),
            ),
            *block(
                2,
                {"type": "tool_use", "id": "toolu_2", "name": "weather", "input": {}},
                *arguments('{"city": "Gen', 'ève"}'),
            ),
            *end("tool_use"),
            names=True,
        ),
        check=check_tools,
        content=HISTORY,
        keywords={"text": {"tools": [WEATHER], "tool_choice": "TOOL_CHOICE_REQUIRED", "parallel_tool_calls": True}},
        **SHARED,
    ),
    Case(
        operation="thinking",
        reply=sse(
            start(),
            *block(
                0,
                {"type": "thinking", "thinking": "", "signature": ""},
                {"type": "thinking_delta", "thinking": "Let me "},
                {"type": "thinking_delta", "thinking": "see."},
                {"type": "signature_delta", "signature": "c2ln"},
            ),
            *block(1, {"type": "redacted_thinking", "data": "c2VhbGVk"}),
            *text(2, "4", "2"),
            *end(),
            names=True,
        ),
        check=check_thinking,
        keywords={"text": {"max_reasoning_tokens": 2000}},
        **SHARED,
    ),
    Case(
        operation="images in",
        reply=sse(start(), *text(0, "Grüße", ", Welt 🎉"), *end(), names=True),
        check=check_text,
        content=[
            Part(data=PNG, media_type="image/png"),
            Part(asset={"uri": "https://example.com/i.jpg", "media_type": "image/jpeg"}),
            "What is it?",
        ],
        **SHARED,
    ),
    Case(
        operation="documents in",
        reply=sse(
            start(),
            *block(
                0,
                {"type": "text", "text": "", "citations": []},
                {"type": "citations_delta", "citation": CITATION},
                {"type": "text_delta", "text": "The grass is "},
                {"type": "text_delta", "text": "green."},
            ),
            *end(),
            names=True,
        ),
        check=check_document,
        content=[
            Part(text="The grass is green. The sky is blue.", extra={"title": "Facts", "context": "Trusted."}),
            Part(data=b"%PDF-1.7 made up", media_type="application/pdf"),
            Part(data=b"plain", media_type="text/plain"),
            "What colour is grass?",
        ],
        keywords={"extra": {"citations": True}},
        **SHARED,
    ),
    Case(
        operation="prompt caching",
        reply=sse(
            start(
                cache_read_input_tokens=1000,
                cache_creation_input_tokens=500,
                cache_creation={"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 200},
            ),
            *text(0, "yes"),
            *end(),
            names=True,
        ),
        check=check_cached,
        content=[
            Turn(role=Role.ROLE_SYSTEM, parts=[Part(text="Long.", cache_ttl={"seconds": 3600})]),
            Turn(role=Role.ROLE_USER, parts=[Part(text="A long one.", cache_ttl={"seconds": 300})]),
        ],
        keywords={
            "text": {
                "tools": [
                    Tool(name="t", parameters_schema='{"type": "object"}', cache_ttl={"seconds": 3600}, strict=True)
                ]
            }
        },
        **SHARED,
    ),
    Case(
        operation="token counting",
        reply=json_reply({"input_tokens": 2095}),
        check=check_count,
        keywords={"extra": {"count_tokens": True}, "text": {"tools": [WEATHER], "max_output_tokens": 10}},
        streams=False,
        **{**SHARED, "path": "/v1/messages/count_tokens", "first": 1, "stream_error": b""},
    ),
]
