"""Gemini's videos: by models that take a prompt, and by models one talks to."""

from __future__ import annotations

import json

from mediaconduit import Result
from mediaconduit.v1.media_pb2 import Part
from mediaconduit_vendors.testing import binary, json_reply

from tests.integration.vendors.cases.gemini_wire import PNG, SHARED
from tests.integration.vendors.matrix import Case

VIDEO_MODEL = "veo-3.1-generate-preview"
OPERATION = f"models/{VIDEO_MODEL}/operations/op1"
FILE = "https://generativelanguage.googleapis.com/v1beta/files/abc:download?alt=media"
SAMPLES = {"generateVideoResponse": {"generatedSamples": [{"video": {"uri": FILE}}]}}
UNDESCRIBED = (
    "gemini/openapi.json has no models:predictLongRunning any more; the request is that of google-genai 1.50.0, "
    "_GenerateVideosParameters_to_mldev"
)

OMNI_MODEL = "gemini-omni-1.1-flash"
OMNI_UNDESCRIBED = (
    "gemini/openapi.json has no /interactions yet; the request is that of google-genai 3.4.0, "
    "_gaos.types.interactions.CreateModelInteraction"
)
OMNI_USAGE = {
    "total_input_tokens": 12,
    "input_tokens_by_modality": [{"modality": "text", "tokens": 12}],
    "total_output_tokens": 900,
    "output_tokens_by_modality": [{"modality": "video", "tokens": 900}],
}
OMNI_DONE = {
    "id": "int1",
    "status": "completed",
    "model": OMNI_MODEL,
    "steps": [
        {"type": "thought", "signature": "c2ln"},
        {"type": "model_output", "content": [{"type": "video", "mime_type": "video/mp4", "uri": FILE}]},
    ],
    "usage": OMNI_USAGE,
}


def check_omni(result: Result) -> None:
    assert (result.data, result.outputs[0].media_type) == (b"\0\0\0 ftypisom made up", "video/mp4")
    assert dict(result.usage.units) == {"input-token": 12, "output-token": 900}
    assert json.loads(result.turn.parts[0].vendor_state.data) == {"interaction": "int1"}


def check_video(result: Result) -> None:
    assert (result.data, result.outputs[0].media_type) == (b"\0\0\0 ftypisom made up", "video/mp4")
    assert result.usage.units["video-millisecond"] == 6000
    assert "uri" in json.loads(result.turn.parts[0].vendor_state.data)


VIDEO_CASES = [
    Case(
        operation="video",
        reply=json_reply({"name": OPERATION}),
        check=check_video,
        content=[Part(data=PNG, media_type="image/png"), "A cow flies."],
        keywords={"video": {"duration": 6, "frame": {"aspect_ratio": "16:9"}}},
        settings={"poll_interval": 0.01},
        routes={
            f"GET /v1beta/{OPERATION}": [
                json_reply({"name": OPERATION}),
                json_reply({"name": OPERATION, "done": True, "response": SAMPLES}),
            ],
            "GET /v1beta/files/abc:download": binary(b"\0\0\0 ftypisom made up", "video/mp4"),
        },
        streams=False,
        metered=False,
        **{
            **SHARED,
            "model": VIDEO_MODEL,
            "path": f"/v1beta/models/{VIDEO_MODEL}:predictLongRunning",
            "description": "",
            "undescribed": UNDESCRIBED,
        },
    ),
    Case(
        operation="video",
        variant="a model one talks to",
        reply=json_reply({"id": "int1", "status": "in_progress"}),
        check=check_omni,
        content=[Part(data=PNG, media_type="image/png"), "A cow flies."],
        keywords={"video": {"duration": 6, "frame": {"aspect_ratio": "16:9"}}, "seed": 7},
        settings={"poll_interval": 0.01},
        routes={
            "GET /v1beta/interactions/int1": [
                json_reply({"id": "int1", "status": "in_progress"}),
                json_reply(OMNI_DONE),
            ],
            "POST /v1beta/interactions/int1/cancel": json_reply({"id": "int1", "status": "cancelled"}),
            "GET /v1beta/files/abc:download": binary(b"\0\0\0 ftypisom made up", "video/mp4"),
        },
        streams=False,
        metered=False,
        **{
            **SHARED,
            "model": OMNI_MODEL,
            "path": "/v1beta/interactions",
            "description": "",
            "undescribed": OMNI_UNDESCRIBED,
        },
    ),
]
