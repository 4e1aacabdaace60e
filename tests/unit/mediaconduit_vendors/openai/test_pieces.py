"""Small translations of OpenAI's style."""

import base64
import struct
from typing import Any

import pytest
from mediaconduit.errors import InternalError
from mediaconduit_vendors.openai.azure import read_azure_failure, scores_of
from mediaconduit_vendors.openai.chat import tokens
from mediaconduit_vendors.openai.citations import citation_of
from mediaconduit_vendors.openai.embeddings import values_of
from mediaconduit_vendors.openai.forms import form
from mediaconduit_vendors.openai.images import decoded_image, image_tokens, info_of
from mediaconduit_vendors.openai.logprobs import token_logprobs
from mediaconduit_vendors.openai.moderation import scores_of as moderation_scores
from mediaconduit_vendors.openai.response_events import response_tokens


def test_vectors_come_as_numbers_or_in_base64() -> None:
    assert list(values_of([0.5, 1])) == [0.5, 1]
    assert list(values_of(base64.b64encode(struct.pack("<2f", 0.5, -2)).decode())) == [0.5, -2]


def test_a_forms_fields_are_texts() -> None:
    assert form({"a": "x", "n": 2, "flag": True, "list": ["x", 1], "object": {"a": 1}}) == {
        "a": "x",
        "n": "2",
        "flag": "true",
        "list[]": ["x", "1"],
        "object": '{"a": 1}',
    }


@pytest.mark.parametrize(
    ("size", "found"),
    [("1024x1536", (1024, 1536)), ("auto", None), (None, None), ("x", None), ("1024x", None)],
)
def test_an_images_size_is_told_where_it_is_known(size: Any, found: tuple[int, int] | None) -> None:
    info = info_of({"size": size})
    assert (info and (info.width, info.height)) == found


def test_an_image_that_is_no_base64_is_not_understood() -> None:
    assert decoded_image("AAEC") == b"\x00\x01\x02"
    with pytest.raises(InternalError):
        decoded_image("not base64!")


@pytest.mark.parametrize(
    ("usage", "units"),
    [
        ({}, {}),
        (
            {"input_tokens": 9, "output_tokens": 100},
            {"input-token": 9, "input-image-token": 0, "output-image-token": 100, "output-token": 0},
        ),
        (
            {
                "input_tokens": 9,
                "output_tokens": 100,
                "input_tokens_details": {"image_tokens": 4},
                "output_tokens_details": {"image_tokens": 90, "text_tokens": 10},
            },
            {"input-token": 5, "input-image-token": 4, "output-image-token": 90, "output-token": 10},
        ),
    ],
)
def test_tokens_of_images_are_told_from_those_of_words(usage: dict[str, Any], units: dict[str, int]) -> None:
    assert image_tokens(usage) == units


def test_tokens_are_counted_once() -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 30, "audio_tokens": 20},
        "completion_tokens_details": {"reasoning_tokens": 10, "audio_tokens": 5},
    }
    found = tokens(usage)
    assert (found["input-token"], found["output-token"]) == (50, 35)
    assert sum(found.values()) == 150
    found = response_tokens(
        {
            "input_tokens": 100,
            "input_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 20},
            "output_tokens": 50,
            "output_tokens_details": None,
        }
    )
    assert (found["input-token"], found["output-token"], sum(found.values())) == (50, 50, 150)


@pytest.mark.parametrize(
    ("annotation", "found"),
    [
        (
            {"type": "url_citation", "url": "https://e.com", "title": "E", "start_index": 1, "end_index": 3},
            ("https://e.com", "E", 2, 5),
        ),
        ({"type": "url_citation", "url_citation": {"url": "https://e.com"}}, ("https://e.com", "", 0, 0)),
        ({"type": "file_citation", "file_id": "f1", "filename": "a.pdf", "index": 7}, ("f1", "a.pdf", 0, 0)),
        ({"type": "something new"}, None),
        ({}, None),
    ],
)
def test_citations_have_their_place_in_bytes(annotation: dict[str, Any], found: tuple[Any, ...] | None) -> None:
    citation = citation_of(annotation, "äöa")
    assert (citation and (citation.uri, citation.title, citation.start_byte, citation.end_byte)) == found


def test_tokens_have_their_probabilities() -> None:
    token = {
        "token": "Hé",
        "logprob": -0.5,
        "bytes": None,
        "top_logprobs": [{"token": "x", "logprob": -3, "bytes": [1]}],
    }
    (found,) = token_logprobs([token])
    assert (found.token, round(found.logprob, 3)) == ("Hé".encode(), -0.5)
    assert found.alternatives[0].token == b"\x01"


def test_moderation_scores_say_what_and_how_strong() -> None:
    result = {"categories": {"hate": True}, "category_scores": {"hate": 0.75, "illicit": None, "new": 0.25}}
    found = moderation_scores(result, 3)
    assert [(s.input, s.label, s.value, s.flagged) for s in found] == [(3, "hate", 0.75, True), (3, "new", 0.25, False)]


def test_azures_refusals_are_told_with_their_ratings() -> None:
    ratings = {"hate": {"filtered": True, "severity": "high"}, "profanity": "odd"}
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": ratings}
    failure = read_azure_failure({"error": {"code": None, "message": "no", "innererror": inner}})
    assert failure.code == "content_filter"
    assert len(scores_of(ratings)) == 1
    for plain in ("gateway down", None, {"error": {"code": "401", "message": "no"}}):
        assert read_azure_failure(plain).details == ()
