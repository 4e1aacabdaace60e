"""What a Gemini is asked with, and how it says what went wrong."""

from __future__ import annotations

from typing import Any

import pytest
from mediaconduit.errors import Reason
from mediaconduit.v1.options_pb2 import TextOptions, Tool
from mediaconduit_provider import InvalidRequestError
from mediaconduit_vendors.failures import reason_of
from mediaconduit_vendors.gemini.grounding import citations_of
from mediaconduit_vendors.gemini.options import chat_options
from mediaconduit_vendors.gemini.thinking import thinking_of
from mediaconduit_vendors.gemini.tools import tool_config, tools_of
from mediaconduit_vendors.gemini.usage import facts_of, units_of
from mediaconduit_vendors.gemini.vendor import GEMINI, read_gemini_failure

FUNCTION = Tool(name="a", parameters_schema='{"type": "object"}')


@pytest.mark.parametrize(
    ("options", "model_id", "config"),
    [
        ({}, "gemini-3.8-flash", {}),
        ({"reasoning_effort": "none"}, "gemini-2.5-flash", {"thinkingBudget": 0}),
        ({"reasoning_effort": "none"}, "gemini-3.8-flash", {"thinkingLevel": "MINIMAL"}),
        ({"reasoning_effort": "low"}, "gemini-2.5-pro", {"thinkingBudget": 1024, "includeThoughts": True}),
        ({"reasoning_effort": "max"}, "gemini-4-argon", {"thinkingLevel": "HIGH", "includeThoughts": True}),
        ({"max_reasoning_tokens": 512}, "gemini-flash-latest", {"thinkingBudget": 512, "includeThoughts": True}),
    ],
)
def test_reasoning_is_asked_for_as_the_model_knows_it(options: dict[str, Any], model_id: str, config: Any) -> None:
    assert thinking_of(TextOptions(**options), model_id, None) == config


def test_reasoning_may_be_shown_without_being_asked_for_and_hidden_with_it() -> None:
    assert thinking_of(TextOptions(), "gemini-3.8-flash", True) == {"includeThoughts": True}
    assert thinking_of(TextOptions(reasoning_effort="low"), "gemini-3.8-flash", False) == {"thinkingLevel": "LOW"}


def test_functions_are_declared_together_and_the_vendors_tools_beside_them() -> None:
    search = Tool(name="search", hosted_tool="file_search")
    search.extra.update({"fileSearchStoreNames": ["fileSearchStores/a"], "topK": 3})
    assert tools_of(TextOptions(tools=[FUNCTION, search])) == [
        {
            "functionDeclarations": [
                {"name": "a", "description": "a", "parametersJsonSchema": {"type": "object"}},
            ]
        },
        {"fileSearch": {"fileSearchStoreNames": ["fileSearchStores/a"], "topK": 3}},
    ]


def test_a_tool_that_the_vendor_does_not_run_is_named() -> None:
    with pytest.raises(InvalidRequestError) as failed:
        tools_of(TextOptions(tools=[Tool(name="x", hosted_tool="teleport")]))
    assert failed.value.fields[0].field == "options.text.tools[0].hosted_tool"


@pytest.mark.parametrize(
    ("options", "config"),
    [
        ({}, {}),
        ({"tool_choice": "TOOL_CHOICE_NONE", "allowed_tools": ["a"]}, {"mode": "NONE"}),
        ({"tool_choice": "TOOL_CHOICE_REQUIRED"}, {"mode": "ANY"}),
        ({"allowed_tools": ["a"]}, {"mode": "VALIDATED", "allowedFunctionNames": ["a"]}),
    ],
)
def test_whether_functions_are_called(options: dict[str, Any], config: dict[str, Any]) -> None:
    found = tool_config(TextOptions(tools=[FUNCTION], **options))
    assert found == ({"functionCallingConfig": config} if config else {})


def test_options_follow_from_features() -> None:
    assert "text.tools" not in chat_options(())
    assert "text.reasoning_effort" in chat_options(("reasoning",))
    assert "text.json_schema" in chat_options(("json-schema",))


def test_tokens_are_counted_once_by_what_they_are() -> None:
    usage = {
        "promptTokenCount": 100,
        "cachedContentTokenCount": 40,
        "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 10}, {"modality": "TEXT", "tokenCount": 30}],
        "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 25}, {"modality": "TEXT", "tokenCount": 75}],
        "toolUsePromptTokenCount": 7,
        "candidatesTokenCount": 20,
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 15}],
        "thoughtsTokenCount": 5,
        "serviceTier": "flex",
    }
    assert units_of(usage, searches=2) == {
        "input-token": 100 - 40 - 15 + 7,
        "input-audio-token": 15,
        "cached-input-token": 40,
        "output-token": 5,
        "output-image-token": 15,
        "reasoning-token": 5,
        "search": 2,
    }
    assert facts_of(usage) == {"service_tier": "flex"}


def test_recited_sources_and_pages_are_citations() -> None:
    candidate = {
        "citationMetadata": {
            "citationSources": [{"startIndex": 3, "endIndex": 9, "uri": "https://a", "license": "mit"}]
        },
        "groundingMetadata": {
            "groundingChunks": [{"retrievedContext": {"title": "Report", "text": "words", "pageNumber": 4}}],
            "groundingSupports": [{"segment": {"startIndex": 1, "endIndex": 2}, "groundingChunkIndices": [0, 9]}],
        },
    }
    found, recited = citations_of(candidate)
    assert (found.title, found.quote, found.location["page"]) == ("Report", "words", 4)
    assert (recited.start_byte, recited.end_byte, recited.location["license"]) == (3, 9, "mit")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"code": 403, "status": "PERMISSION_DENIED"}, Reason.CREDENTIALS_REJECTED),
        ({"code": 400, "status": "FAILED_PRECONDITION", "message": "not in your country"}, Reason.NOT_ALLOWED),
        ({"code": 400, "status": "INVALID_ARGUMENT"}, Reason.INPUT_INVALID),
        ({"code": 429, "status": "RESOURCE_EXHAUSTED"}, Reason.RATE_LIMITED),
        ({"code": 504, "status": "DEADLINE_EXCEEDED"}, Reason.VENDOR_TIMEOUT),
        ({"code": 503, "status": "UNAVAILABLE"}, Reason.VENDOR_UNAVAILABLE),
        ({"code": 3}, Reason.INPUT_INVALID),
        ({"code": 13}, Reason.VENDOR_UNAVAILABLE),
    ],
)
def test_the_vendors_words_have_their_reasons(error: dict[str, Any], reason: Reason) -> None:
    for body in ({"error": error}, [{"error": error}]):
        assert reason_of(read_gemini_failure(body), GEMINI.reasons) is reason


def test_a_body_that_is_no_error_is_still_read() -> None:
    assert read_gemini_failure("gone").message == "gone"
    assert read_gemini_failure([]).message == ""
    assert read_gemini_failure({"error": "text"}).message == "text"
