"""Servers that speak OpenAI's API, checked against OpenAI's and the servers' own descriptions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mediaconduit import Media, Result
from mediaconduit_vendors.testing import binary, json_reply

from tests.integration.vendors.cases import openai
from tests.integration.vendors.matrix import Case

_MODELS = {
    "GET /v1/models": json_reply(
        {
            "object": "list",
            "data": [
                {"id": "gpt-4o-mini", "object": "model"},
                {"id": "nomic-embed-text", "object": "model"},
                {"id": "kokoro", "object": "model"},
                {"id": "Systran/faster-whisper-small", "object": "model", "task": "automatic-speech-recognition"},
            ],
        }
    )
}


def _adopted(case: Case, **more: Any) -> Case:
    """A case of OpenAI's, asked of another server."""
    return replace(case, vendor="openai-compatible", routes=_MODELS, description=openai.DESCRIPTION, **more)


def _check_chat(result: Result) -> None:
    assert result.text == "Grüße 👋"
    assert dict(result.usage.units) == {"input-token": 10, "cached-input-token": 2, "output-token": 3}
    assert not result.usage.HasField("nano_cost")


def _check_embeddings(result: Result) -> None:
    assert [list(found.values) for found in result.embeddings] == [[0.5, -0.25], [1.0, 0.0]]
    assert dict(result.usage.units) == {"input-token": 8}


def _check_speech(result: Result) -> None:
    assert result.data == openai.MP3
    assert dict(result.usage.units) == {"character": 5}


def _check_transcription(result: Result) -> None:
    assert result.text == "Good morning. Coffee?"
    assert result.transcript is not None
    assert [len(segment.words) for segment in result.transcript.segments] == [2, 1]


CHAT = _adopted(openai.CHAT, check=_check_chat)
EMBEDDINGS = _adopted(openai.EMBEDDINGS, check=_check_embeddings, model="nomic-embed-text")
SPEECH = Case(
    vendor="openai-compatible",
    operation="speech",
    path="/v1/audio/speech",
    base="/v1",
    errors=openai.refusal,
    routes=_MODELS,
    description="kokoro/openapi.json",
    check=_check_speech,
    model="kokoro",
    content="Hello",
    keywords={"audio": {"voice": "af_heart", "speed": 1.5}},
    reply=binary(openai.MP3, "audio/mpeg", piece=50),
)
TRANSCRIPTION = replace(
    _adopted(openai.TRANSCRIPTION, check=_check_transcription),
    description="speaches/openapi.json",
    model="Systran/faster-whisper-small",
    content=Media(openai.WAV, "audio/wav"),
)

CASES = (CHAT, EMBEDDINGS, SPEECH, TRANSCRIPTION)
NOT_APPLICABLE: dict[str, str] = {}
