"""Gemini: answers, images, speech, vectors, video."""

from __future__ import annotations

import json
from typing import Any

from mediaconduit import Result
from mediaconduit.v1.events_pb2 import FinishReason
from mediaconduit.v1.media_pb2 import Part, Role, Turn
from mediaconduit.v1.options_pb2 import Tool
from mediaconduit_vendors.testing import json_reply, sse

from tests.integration.vendors.cases.gemini_video import OMNI_MODEL, VIDEO_CASES, VIDEO_MODEL
from tests.integration.vendors.cases.gemini_wire import MODEL, NEWER, PCM, PNG, REFUSALS, SHARED, chunk, media, streamed
from tests.integration.vendors.matrix import Case

TEXT = [chunk({"text": "Grüße"}), chunk({"text": ", Welt"}), chunk({"text": " 🎉"}, finish="STOP")]


def check_text(result: Result) -> None:
    assert result.text == "Grüße, Welt 🎉"
    assert dict(result.usage.units) == {"input-token": 12, "output-token": 9}
    assert result.usage.nano_cost == 12 * 300 + 9 * 2500
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_STOP
    assert (result.provenance.vendor_model, result.provenance.vendor_response_id) == ("gemini-2.5-flash", "r1")


def check_thought(result: Result) -> None:
    assert (result.reasoning, result.text) == ("Let me see.", "It rains.")
    assert result.usage.units["search"] == 1
    (citation,) = next(part for part in result.turn.parts if part.text == "It rains.").citations
    assert (citation.uri, citation.title, citation.end_byte) == ("https://example.com/w", "Weather", 9)
    assert result.finishes[0].safety[0].grade == "LOW"


def check_tools(result: Result) -> None:
    assert [(call.name, json.loads(call.arguments)) for call in result.tool_calls] == [
        ("weather", {"city": "Bern"}),
        ("weather", {"city": "Genève"}),
    ]
    assert len({call.id for call in result.tool_calls}) == 2
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_TOOL_CALLS


def check_ran(result: Result) -> None:
    ran, printed, said = result.turn.parts
    assert (ran.tool_call.hosted, json.loads(ran.tool_call.arguments)) == (True, {"code": "print(1+1)"})
    assert (printed.tool_result.call_id, printed.tool_result.parts[0].text) == (ran.tool_call.id, "2\n")
    assert said.text == "It is 2."


def check_image(result: Result) -> None:
    assert result.text == "Here it is."
    draft, whole = (output for output in result.outputs if output.media_type == "image/png")
    if whole.is_preview:
        draft, whole = whole, draft
    assert (draft.data, whole.data) == (b"draft", PNG)
    assert draft.started.preview_of == whole.index
    assert result.usage.units["output-image-token"] == 1290


def check_wav(result: Result) -> None:
    data = result.data
    assert (data[:4], data[8:16], data[44:]) == (b"RIFF", b"WAVEfmt ", PCM)
    assert int.from_bytes(data[24:28], "little") == 24000


def check_l16(result: Result) -> None:
    assert result.outputs[0].media_type == "audio/L16; rate=24000; channels=1"
    assert result.data[0::2] == PCM[1::2]
    assert result.data[1::2] == PCM[0::2]


def check_vector(result: Result) -> None:
    assert [list(vector.values) for vector in result.embeddings] == [[1.0, 0.0]]
    assert (dict(result.usage.units), result.usage.nano_cost) == ({"input-token": 3}, 450)


def check_vectors(result: Result) -> None:
    assert [(list(vector.values), vector.input) for vector in result.embeddings] == [([1.0, 0.0], 0), ([0.0, 1.0], 1)]


WEATHER = Tool(name="weather", description="Tells the weather.", parameters_schema='{"type": "object"}')
HISTORY = [
    Turn(role=Role.ROLE_SYSTEM, parts=[Part(text="Be brief.")]),
    Turn(role=Role.ROLE_USER, parts=[Part(text="Weather?"), Part(data=PNG, media_type="image/png")]),
    Turn(
        role=Role.ROLE_ASSISTANT,
        parts=[Part(tool_call={"id": "call_7", "name": "weather", "arguments": '{"city": "Rom"}'})],
    ),
    Turn(role=Role.ROLE_TOOL, parts=[Part(tool_result={"call_id": "call_7", "parts": [Part(text="sun")]})]),
    Turn(role=Role.ROLE_USER, parts=[Part(text="And elsewhere?")]),
]
GROUNDING = {
    "webSearchQueries": ["weather"],
    "groundingChunks": [{"web": {"uri": "https://example.com/w", "title": "Weather"}}],
    "groundingSupports": [{"segment": {"endIndex": 9, "text": "It rains."}, "groundingChunkIndices": [0]}],
}
RATING = {"category": "HARM_CATEGORY_HARASSMENT", "probability": "LOW"}
IMAGE_USAGE = {
    "promptTokenCount": 12,
    "candidatesTokenCount": 1290,
    "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}],
}
IMAGE_MODEL = "gemini-2.5-flash-image"
SPEECH_MODEL = "gemini-2.5-flash-preview-tts"
VECTOR_MODEL = "gemini-embedding-001"
SPOKEN = sse(
    *(chunk(media(PCM[at : at + 1023], "audio/L16;codec=pcm;rate=24000")) for at in range(0, len(PCM), 1023)),
    chunk(finish="STOP"),
)
LISTED = {
    MODEL: "generateContent",
    OMNI_MODEL: "generateContent",
    NEWER: "generateContent",
    IMAGE_MODEL: "generateContent",
    SPEECH_MODEL: "generateContent",
    VECTOR_MODEL: "embedContent",
    VIDEO_MODEL: "predictLongRunning",
}
MODELS = json_reply(
    {"models": [{"name": f"models/{name}", "supportedGenerationMethods": [each]} for name, each in LISTED.items()]}
)
CASES = [
    Case(
        operation="generate",
        reply=json_reply(chunk({"text": "Grüße, Welt 🎉"}, finish="STOP")),
        check=check_text,
        content=HISTORY,
        keywords={
            "extra": {
                "stream": False,
                "safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
            },
            "text": {"temperature": 0.5, "top_k": 5, "json_schema": '{"type": "object"}', "reasoning_effort": "none"},
            "seed": 7,
        },
        streams=False,
        metered=False,
        refusals=REFUSALS,
        routes={"GET /v1beta/models": MODELS},
        **{**SHARED, "path": f"/v1beta/models/{MODEL}:generateContent"},
    ),
    Case(
        operation="generate",
        variant="count of tokens",
        reply=json_reply({"totalTokens": 31}),
        check=lambda result: _equal(result.json(), {"input_tokens": 31}),
        content=HISTORY,
        keywords={"extra": {"count_tokens": True}, "text": {"tools": [WEATHER]}},
        streams=False,
        metered=False,
        **{**SHARED, "path": f"/v1beta/models/{MODEL}:countTokens"},
    ),
    Case(operation="stream", reply=sse(*TEXT), check=check_text, **streamed(MODEL)),
    Case(
        operation="stream",
        variant="thoughts and sources",
        reply=sse(
            chunk({"text": "Let me ", "thought": True}),
            chunk({"text": "see.", "thought": True}),
            chunk({"text": "It "}),
            chunk({"text": "rains."}),
            chunk(
                {"text": "", "thoughtSignature": "c2ln"},
                finish="STOP",
                groundingMetadata=GROUNDING,
                safetyRatings=[RATING],
            ),
        ),
        check=check_thought,
        keywords={
            "text": {
                "max_reasoning_tokens": 1024,
                "tools": [Tool(name="search", hosted_tool="google_search")],
            }
        },
        **streamed(MODEL),
    ),
    Case(
        operation="tools",
        reply=sse(
            chunk({"functionCall": {"name": "weather", "args": {"city": "Bern"}}, "thoughtSignature": "c2ln"}),
            chunk({"functionCall": {"name": "weather", "args": {"city": "Genève"}}}),
            chunk({"text": ""}, finish="STOP"),
        ),
        check=check_tools,
        content=HISTORY,
        keywords={
            "text": {
                "tools": [WEATHER],
                "tool_choice": "TOOL_CHOICE_REQUIRED",
                "allowed_tools": ["weather"],
                "reasoning_effort": "low",
            }
        },
        **streamed(NEWER),
    ),
    Case(
        operation="tools",
        variant="code that the vendor runs",
        reply=sse(
            chunk({"executableCode": {"language": "PYTHON", "code": "print(1+1)"}}),
            chunk({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "2\n"}}),
            chunk({"text": "It is 2."}, finish="STOP"),
        ),
        check=check_ran,
        keywords={"text": {"tools": [Tool(name="code_execution", hosted_tool="code_execution")]}},
        **streamed(MODEL),
    ),
    Case(
        operation="images",
        reply=sse(
            chunk(media(b"draft", "image/png", thought=True)),
            chunk({"text": "Here it is."}),
            {**chunk(media(PNG, "image/png", thoughtSignature="c2ln"), finish="STOP"), "usageMetadata": IMAGE_USAGE},
        ),
        check=check_image,
        content=[Part(data=PNG, media_type="image/png"), "Make it blue."],
        keywords={"image": {"aspect_ratio": "16:9", "previews": 1}},
        **streamed(IMAGE_MODEL),
    ),
    Case(
        operation="speech",
        reply=SPOKEN,
        check=check_wav,
        keywords={"audio": {"voice": "Kore", "language": "de-CH"}},
        **streamed(SPEECH_MODEL),
    ),
    Case(
        operation="speech",
        variant="two speakers",
        reply=SPOKEN,
        check=check_l16,
        content=[Turn(name="Anna", parts=[Part(text="Hi")]), Turn(name="Beat", parts=[Part(text="Hello")])],
        keywords={
            "audio": {"speakers": [{"name": "Anna", "voice": "Kore"}, {"name": "Beat", "voice": "Puck"}]},
            "output_media_types": ["audio/L16"],
        },
        **streamed(SPEECH_MODEL),
    ),
    Case(
        operation="embeddings",
        reply=json_reply({"embeddings": [{"values": [1.0, 0.0]}, {"values": [0.0, 1.0]}]}),
        check=check_vectors,
        content=[Turn(parts=[Part(text="a")]), Turn(parts=[Part(text="b")])],
        keywords={"embedding": {"dimensions": 2, "purpose": "query"}},
        streams=False,
        metered=False,
        **{**SHARED, "model": VECTOR_MODEL, "path": f"/v1beta/models/{VECTOR_MODEL}:batchEmbedContents"},
    ),
    Case(
        operation="embeddings",
        variant="one item",
        reply=json_reply({"embeddings": [{"values": [1.0, 0.0]}], "usageMetadata": {"promptTokenCount": 3}}),
        check=check_vector,
        streams=False,
        metered=False,
        **{**SHARED, "model": VECTOR_MODEL, "path": f"/v1beta/models/{VECTOR_MODEL}:batchEmbedContents"},
    ),
    *VIDEO_CASES,
]


def _equal(one: Any, other: Any) -> None:
    assert one == other
