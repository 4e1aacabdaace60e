"""Mistral's models by what is known of them."""

from __future__ import annotations

from typing import Any

import pytest
from mediaconduit_vendors.mistral.models import base_of, entry_facts, mode_of, model_of
from mediaconduit_vendors.prices import Listing, listings

CHATS = {"completion_chat": True, "function_calling": True}


@pytest.mark.parametrize(
    ("model_id", "can", "mode"),
    [
        ("made-up-2611", {"completion_chat": True}, "chat"),
        ("mistral-ocr-2611", {"completion_chat": True, "vision": True, "ocr": True}, "ocr"),
        ("voxtral-mini-tts-2611", {}, "audio_speech"),
        ("made-up-2611", {"audio_speech": True}, "audio_speech"),
        ("voxtral-huge-transcribe-2611", {"audio_transcription": True}, "audio_transcription"),
        ("voxtral-huge-2611", {"audio": True, "audio_transcription": True}, "audio_transcription"),
        ("voxtral-huge-2611", {"completion_chat": True, "audio": True, "audio_transcription": True}, "chat"),
        ("codestral-embed-2611", {}, "embedding"),
        ("mistral-moderation-2611", {"moderation": True}, ""),
    ],
)
def test_a_model_newer_than_the_price_file_is_what_the_vendor_says(model_id: str, can: Any, mode: str) -> None:
    assert mode_of(model_id, None, can) == mode


def test_the_price_file_knows_better_than_a_name() -> None:
    assert mode_of("voxtral-mini-latest", Listing("voxtral-mini-latest", "audio_transcription"), CHATS) == (
        "audio_transcription"
    )


def test_the_vendor_knows_better_than_the_price_file_what_a_chat_can_do() -> None:
    listing = Listing("m", "chat", features=("reasoning", "tools", "vision"))
    model = model_of("m", listing, {"completion_chat": True, "function_calling": False, "vision": False})
    assert model is not None
    assert set(model.features) == {"streaming", "json-schema", "reasoning"}
    assert model.capabilities == ("text-to-text",)
    assert "text.reasoning_effort" in model.options


def test_models_that_do_not_reason_do_not_take_how_hard_to_think() -> None:
    model = model_of("m", None, CHATS)
    assert model is not None
    assert "text.reasoning_effort" not in model.options
    assert {"tools", "parallel-tools"} <= set(model.features)


def test_what_is_spoken_to_over_another_protocol_is_left_out() -> None:
    assert model_of("voxtral-mini-transcribe-realtime-2602", Listing("m", "audio_transcription")) is None


def test_every_priced_model_of_a_known_kind_is_used() -> None:
    left_out = {name for name, listing in listings("mistral").items() if model_of(name, listing) is None}
    assert all("realtime" in name or "moderation" in name for name in left_out)


def test_a_fine_tuned_model_is_looked_up_by_what_it_came_from() -> None:
    assert base_of({"id": "ft:mistral-small:me", "root": "mistral-small"}) == "mistral-small"
    assert base_of({"id": "mistral-small", "root": None}) == "mistral-small"


def test_when_a_model_goes_is_told_with_its_zone() -> None:
    retires = entry_facts({"deprecation": "2027-03-31T12:00:00"})["retires"]
    assert retires.isoformat() == "2027-03-31T12:00:00+00:00"
    assert entry_facts({"deprecation": "soon"})["retires"] is None
    assert entry_facts({})["retires"] is None
