import base64
import json
from pathlib import Path
from typing import Any

import pytest
from gemini_provider import Gemini
from mediaconduit.channels import open_channel
from mediaconduit.errors import InvalidRequestError, MediaConduitError, PreconditionError, Reason
from mediaconduit.events import Progress
from mediaconduit.v1.media_pb2 import Part, Role, Turn
from mediaconduit.v1.options_pb2 import Tool
from mediaconduit.v1.provider_pb2 import WatchGenerationsRequest
from mediaconduit.v1.provider_pb2_grpc import MediaProviderStub
from mediaconduit_provider.testing import serve
from mediaconduit_vendors.testing import Upstream, binary, failure, json_reply, sse

MODEL = "gemini-3.8-flash"
STREAM = "POST /models/{model}"
TOOL = Tool(name="weather", parameters_schema='{"type": "object"}')
VEO = "veo-3.1-generate-preview"


def chunk(*parts: dict[str, Any], finish: str = "STOP", **more: Any) -> dict[str, Any]:
    candidate = {"content": {"parts": list(parts), "role": "model"}, "finishReason": finish}
    usage = {"promptTokenCount": 12, "candidatesTokenCount": 3, "thoughtsTokenCount": 5}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": MODEL, **more}


DONE = sse(chunk({"text": "done"}))


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "sk-made-up")


async def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEMINI_API_KEY")
    async with serve(Gemini(), settings={}) as served:
        with pytest.raises(PreconditionError, match="needs a key") as failed:
            await served.model(MODEL).transform("hi")
    assert failed.value.metadata["variable"] == "GEMINI_API_KEY"


async def test_models_are_used_by_the_methods_they_are_listed_with() -> None:
    methods = {
        "gemini-made-up-9": ["generateContent", "countTokens"],
        "gemini-made-up-9-tts": ["generateContent"],
        "gemini-made-up-9-image": ["generateContent"],
        "made-up-embedding": ["embedContent"],
        "made-up-veo": ["predictLongRunning"],
        "made-up-imagen": ["predict"],
        "made-up-live": ["bidiGenerateContent"],
    }
    listed = [
        {
            "name": f"models/{name}",
            "displayName": name.title(),
            "supportedGenerationMethods": each,
            "inputTokenLimit": 1000,
            "outputTokenLimit": 100,
            "thinking": True,
        }
        for name, each in methods.items()
    ]
    pages = [json_reply({"models": listed[:3], "nextPageToken": "2"}), json_reply({"models": listed[3:]})]
    async with (
        Upstream({"GET /models": pages}) as upstream,
        serve(Gemini(), settings={"base_url": upstream.url}) as served,
    ):
        models = {model.name.rpartition("/")[2]: model for model in await served.client.models(refresh=True)}
    does = {name: list(model.capabilities) for name, model in models.items()}
    assert does == {
        "gemini-made-up-9": ["text-to-text", "audio-to-text", "video-to-text", "image-to-text"],
        "gemini-made-up-9-tts": ["text-to-audio"],
        "gemini-made-up-9-image": ["text-to-image", "image-to-image"],
        "made-up-embedding": ["text-to-embedding"],
        "made-up-veo": ["text-to-video", "image-to-video", "video-to-video"],
        "made-up-imagen": ["text-to-image"],
    }
    chat = models["gemini-made-up-9"]
    assert (chat.display_name, chat.context_tokens, chat.max_output_tokens) == ("Gemini-Made-Up-9", 1000, 100)
    assert "reasoning" in chat.features
    assert upstream.requests[1].query == [("pageSize", "1000"), ("pageToken", "2")]
    assert upstream.requests[0].header("x-goog-api-key") == "sk-made-up"


async def test_signatures_go_back_with_the_parts_they_came_with() -> None:
    parts = [
        {"text": "Let me look."},
        {"functionCall": {"name": "weather", "args": {"city": "Bern"}, "id": "f1"}, "thoughtSignature": "c2ln"},
        {"functionCall": {"name": "weather", "args": {}}},
        {"executableCode": {"language": "PYTHON", "code": "1+1"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "2"}},
        {"text": "It is 2."},
        {"text": "", "thoughtSignature": "ZW5k"},
    ]
    first = sse(chunk({"text": "Where?", "thought": True}, *parts))
    async with (
        Upstream({STREAM: [first, DONE]}) as upstream,
        serve(Gemini(), settings={"base_url": upstream.url}) as served,
    ):
        model = served.model(MODEL)
        asked = Turn(role=Role.ROLE_USER, parts=[Part(text="Weather?")])
        said = await model.transform([asked], text={"tools": [TOOL], "reasoning_effort": "high"})
        results = [
            Part(tool_result={"call_id": said.tool_calls[0].id, "parts": [Part(text='{"sky": "grey"}')]}),
            Part(tool_result={"call_id": said.tool_calls[1].id, "parts": [Part(text="lost")], "is_error": True}),
        ]
        await model.transform([asked, said.turn, Turn(role=Role.ROLE_TOOL, parts=results)], text={"tools": [TOOL]})
    assert said.reasoning == "Where?"
    config = upstream.requests[0].json["generationConfig"]
    assert config["thinkingConfig"] == {"thinkingLevel": "HIGH", "includeThoughts": True}
    contents = upstream.requests[1].json["contents"]
    assert contents[1] == {"role": "model", "parts": parts}
    assert contents[2]["parts"] == [
        {"functionResponse": {"name": "weather", "id": "f1", "response": {"sky": "grey"}}},
        {"functionResponse": {"name": "weather", "response": {"error": "lost"}}},
    ]


async def test_a_conversation_that_another_vendor_began_goes_on() -> None:
    parts = [
        Part(reasoning={"text": "unsigned"}),
        Part(tool_call={"id": "ws_1", "name": "web_search", "arguments": "{}", "hosted": True}),
        Part(tool_result={"call_id": "ws_1", "parts": [Part(text="found")]}),
        Part(tool_call={"id": "toolu_1", "name": "weather", "arguments": "{}"}),
    ]
    turns = [
        Turn(role=Role.ROLE_USER, parts=[Part(text="Weather?")]),
        Turn(role=Role.ROLE_ASSISTANT, parts=parts),
        Turn(role=Role.ROLE_TOOL, parts=[Part(tool_result={"call_id": "toolu_1", "parts": [Part(text="sun")]})]),
    ]
    async with Upstream({STREAM: DONE}) as upstream, serve(Gemini(), settings={"base_url": upstream.url}) as served:
        await served.model(MODEL).transform(turns)
    (sent,), (answered,) = (content["parts"] for content in upstream.requests[0].json["contents"][1:])
    assert sent["thoughtSignature"] == "skip_thought_signature_validator"
    assert (sent["functionCall"]["id"], answered["functionResponse"]["id"]) == ("toolu_1", "toolu_1")


@pytest.mark.parametrize(
    "said",
    [
        {"promptFeedback": {"blockReason": "SAFETY", "safetyRatings": [{"category": "C", "probability": "HIGH"}]}},
        {"candidates": [{"finishReason": "PROHIBITED_CONTENT"}]},
    ],
)
async def test_what_is_refused_as_a_whole_is_no_answer(said: dict[str, Any]) -> None:
    reply = sse(said)
    async with Upstream({STREAM: reply}) as upstream, serve(Gemini(), settings={"base_url": upstream.url}) as served:
        with pytest.raises(InvalidRequestError) as failed:
            await served.model(MODEL).transform("hi")
    assert failed.value.reason is Reason.CONTENT_REFUSED


async def test_the_vendor_says_in_the_body_how_long_to_wait() -> None:
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3600s"}
    body = {"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED", "details": [retry]}}
    async with (
        Upstream({STREAM: failure(429, [body])}) as upstream,
        serve(Gemini(), settings={"base_url": upstream.url}) as served,
    ):
        with pytest.raises(Exception, match="slow down") as failed:
            await served.model(MODEL).transform("hi")
    assert failed.value.retry_after == pytest.approx(3600, abs=5)  # type: ignore[attr-defined]
    assert len(upstream.requests) == 1


async def test_alternatives_are_kept_apart_and_have_probabilities() -> None:
    candidates = [
        {
            "index": index,
            "content": {"parts": [{"text": text}]},
            "finishReason": "STOP",
            "logprobsResult": {
                "chosenCandidates": [{"token": text, "logProbability": -0.5}],
                "topCandidates": [{"candidates": [{"token": "x", "logProbability": -1.5}]}],
            },
        }
        for index, text in enumerate(("one", "two"))
    ]
    async with (
        Upstream({STREAM: sse({"candidates": candidates})}) as upstream,
        serve(Gemini(), settings={"base_url": upstream.url}) as served,
    ):
        result = await served.model(MODEL).transform("hi", candidates=2, text={"top_logprobs": 1})
    assert [(output.candidate, output.text) for output in result.outputs] == [(0, "one"), (1, "two")]
    assert result.outputs[1].logprobs[0].alternatives[0].token == b"x"
    assert len(result.finishes) == 2
    config = upstream.requests[0].json["generationConfig"]
    assert config == {"candidateCount": 2, "responseLogprobs": True, "logprobs": 1}


async def test_a_cut_call_counts_what_the_vendor_has_counted() -> None:
    reply = sse(chunk({"text": "begun"}, finish="")).stall(after=1)
    async with Upstream({STREAM: reply}) as upstream, serve(Gemini(), settings={"base_url": upstream.url}) as served:
        async with served.model(MODEL).stream("hi") as stream:
            async for event in stream:
                if event.text:
                    break
        async with open_channel(served.target) as channel:
            watch = MediaProviderStub(channel).WatchGenerations(WatchGenerationsRequest())
            usage = (await watch.read()).generations[0].usage
            watch.cancel()
    assert dict(usage.units) == {"input-token": 12, "output-token": 3, "reasoning-token": 5}
    assert usage.estimated


async def test_a_video_is_fetched_with_the_key_and_followed_elsewhere_without() -> None:
    operation = f"models/{VEO}/operations/1"
    file = "https://generativelanguage.googleapis.com/v1beta/files/a:download?alt=media"
    sample = {"generateVideoResponse": {"generatedSamples": [{"video": {"uri": file}}]}}
    async with Upstream({"GET /stored": binary(b"video", "video/mp4")}) as elsewhere:
        moved = failure(302, "", {"location": f"{elsewhere.url}/stored"})
        routes = {
            f"POST /models/{VEO}:predictLongRunning": json_reply({"name": operation}),
            f"GET /{operation}": json_reply({"name": operation, "done": True, "response": sample}),
            "GET /files/a:download": moved,
        }
        async with Upstream(routes) as upstream, serve(Gemini(), settings={"base_url": upstream.url}) as served:
            first = await served.model(VEO).transform("A cow flies.", video={"frame": {"resolution": "1080p"}})
            again = [Turn(role=Role.ROLE_USER, parts=[*first.turn.parts, Part(text="Higher.")])]
            await served.model(VEO).transform(again, video={"edit": "VIDEO_EDIT_EXTEND"})
    assert first.data == b"video"
    fetched = next(request for request in upstream.requests if request.path.endswith(":download"))
    assert fetched.header("x-goog-api-key") == "sk-made-up"
    assert not elsewhere.requests[0].header("x-goog-api-key")
    submitted = [request.json for request in upstream.requests if request.method == "POST"]
    assert submitted[0] == {"instances": [{"prompt": "A cow flies."}], "parameters": {"resolution": "1080p"}}
    assert submitted[1]["instances"][0] == {"prompt": "Higher.", "video": {"uri": file}}


async def test_a_job_that_failed_says_why() -> None:
    operation = f"models/{VEO}/operations/1"
    ended = {"done": True, "error": {"code": 3, "message": "no such aspect"}}
    broken = {"done": True, "error": {"code": 13, "message": "sorry"}}
    filtered = {"done": True, "response": {"generateVideoResponse": {"raiMediaFilteredReasons": ["a face"]}}}
    for answer, reason in (
        (ended, Reason.INPUT_INVALID),
        (broken, Reason.VENDOR_UNAVAILABLE),
        (filtered, Reason.CONTENT_REFUSED),
    ):
        routes = {
            f"POST /models/{VEO}:predictLongRunning": json_reply({"name": operation}),
            f"GET /{operation}": json_reply(answer),
        }
        async with Upstream(routes) as upstream, serve(Gemini(), settings={"base_url": upstream.url}) as served:
            with pytest.raises(MediaConduitError) as failed:
                await served.model(VEO).transform("A cow flies.")
        assert failed.value.reason is reason
        assert len(upstream.requests) == 2


async def test_images_of_models_that_only_make_images() -> None:
    made = {"bytesBase64Encoded": base64.b64encode(b"png").decode(), "mimeType": "image/png"}
    answer = json_reply({"predictions": [made, {"raiFilteredReason": "a face"}]})
    async with (
        Upstream({"POST /models/imagen-3.0-generate-001:predict": answer}) as upstream,
        serve(Gemini(), settings={"base_url": upstream.url}) as served,
    ):
        result = await served.model("imagen-3.0-generate-001").transform("A cow.", image={"aspect_ratio": "16:9"})
    assert (result.data, dict(result.usage.units), result.usage.nano_cost) == (b"png", {"image": 1}, 40_000_000)
    assert upstream.requests[0].json["parameters"] == {"includeRaiReason": True, "aspectRatio": "16:9"}


async def test_many_items_are_embedded_in_several_requests() -> None:
    def embed(request: Any) -> Any:
        return json_reply(
            {"embeddings": [{"values": [float(len(request.json["requests"]))]}] * len(request.json["requests"])}
        )

    turns = [Turn(parts=[Part(text=str(number))]) for number in range(130)]
    async with (
        Upstream({"POST /models/gemini-embedding-001:batchEmbedContents": embed}) as upstream,
        serve(Gemini(), settings={"base_url": upstream.url}) as served,
    ):
        result = await served.model("gemini-embedding-001").transform(turns)
    assert [len(request.json["requests"]) for request in upstream.requests] == [100, 30]
    assert [vector.input for vector in result.embeddings] == list(range(130))
    assert json.loads(upstream.requests[0].body)["requests"][7]["content"] == {"parts": [{"text": "7"}]}


async def test_a_conversation_about_a_video_goes_on_from_the_last_one() -> None:
    ids = iter(("int1", "int2", "int3"))
    content = [{"type": "text", "text": "Here."}, {"type": "video", "data": base64.b64encode(b"video").decode()}]
    done = {"status": "completed", "steps": [{"type": "model_output", "content": content}]}
    routes = {
        "POST /interactions": lambda _: json_reply({"id": next(ids), "status": "queued"}),
        "GET /interactions/{id}": lambda request: json_reply({"id": request.path.rpartition("/")[2], **done}),
    }
    async with Upstream(routes) as upstream, serve(Gemini(), settings={"base_url": upstream.url}) as served:
        model = served.model("gemini-omni-1.1-flash")
        asked = Turn(role=Role.ROLE_USER, parts=[Part(text="A cow flies.")])
        first = await model.transform([asked], video={"duration": 5})
        then = Turn(role=Role.ROLE_USER, parts=[Part(text="Higher.")])
        second = await model.transform([asked, first.turn, then], video={"edit": "VIDEO_EDIT_CHANGE"})
        video = next(part for part in first.turn.parts if part.data)
        await model.transform([Turn(role=Role.ROLE_USER, parts=[video, Part(text="Lower.")])])
    assert (first.text, first.data, second.data) == ("Here.", b"video", b"video")
    one, two, three = (request.json for request in upstream.requests if request.method == "POST")
    assert one["input"] == [{"type": "text", "text": "A cow flies."}]
    assert one["response_format"] == {"type": "video", "delivery": "uri", "duration": "5s"}
    assert (two["previous_interaction_id"], two["input"]) == ("int1", [{"type": "text", "text": "Higher."}])
    assert two["generation_config"] == {"video_config": {"task": "edit"}}
    assert (three["previous_interaction_id"], three["input"]) == ("int1", [{"type": "text", "text": "Lower."}])


async def test_leaving_a_conversation_about_a_video_stops_it_at_the_vendor() -> None:
    cancel = "POST /interactions/int1/cancel"
    routes = {
        "POST /interactions": json_reply({"id": "int1", "status": "queued"}),
        "GET /interactions/int1": json_reply({"id": "int1", "status": "in_progress"}),
        cancel: json_reply({}),
    }
    async with Upstream(routes) as upstream, serve(Gemini(), settings={"base_url": upstream.url}) as served:
        async with served.model("gemini-omni-1.1-flash").stream("A cow flies.") as stream:
            async for event in stream:
                if isinstance(event, Progress):
                    break
        number = 0
        while (await upstream.request(number)).path != cancel.partition(" ")[2]:
            number += 1


def files(upstream: Upstream, *states: str) -> dict[str, Any]:
    """Routes of a vendor that takes files: uploaded in two steps, looked at until they are ready, removed."""
    uri = "https://generativelanguage.googleapis.com/v1beta/files/f1"
    upload = json_reply({}, headers={"x-goog-upload-url": f"{upstream.url}/put-it-here"})
    looks = [json_reply({"name": "files/f1", "uri": uri, "state": state}) for state in states]
    return {
        "POST /upload/v1beta/files": upload,
        "POST /put-it-here": json_reply({"file": {"name": "files/f1", "uri": uri, "state": "PROCESSING"}}),
        "GET /v1beta/files/f1": looks,
        "DELETE /v1beta/files/f1": json_reply({}),
    }


async def test_a_large_video_is_given_to_the_vendor_beforehand_and_taken_back(tmp_path: Path) -> None:
    video = tmp_path / "v.mp4"
    video.write_bytes(bytes(range(256)) * 60_000)
    async with Upstream({"POST /v1beta/models/{model}": DONE}) as upstream:
        for route, answer in files(upstream, "PROCESSING", "ACTIVE").items():
            upstream.route(route, answer)
        settings = {"base_url": f"{upstream.url}/v1beta", "poll_interval": 0.01}
        async with serve(Gemini(), settings=settings) as served:
            result = await served.model(MODEL).transform([video, "What is it?"])
    assert result.text == "done"
    begun, put, *_, asked, gone = upstream.requests
    assert begun.header("x-goog-upload-header-content-length") == put.header("content-length") == "15360000"
    assert begun.header("x-goog-api-key") == "sk-made-up"
    assert not put.header("x-goog-api-key")
    assert put.body == video.read_bytes()
    assert asked.json["contents"][0]["parts"][0] == {
        "fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/f1", "mimeType": "video/mp4"}
    }
    assert (gone.method, gone.path) == ("DELETE", "/v1beta/files/f1")


async def test_a_file_that_cannot_be_used_says_why_and_is_taken_back(tmp_path: Path) -> None:
    video = tmp_path / "v.mp4"
    video.write_bytes(bytes(13 * 1024 * 1024))
    async with Upstream() as upstream:
        for route, answer in files(upstream).items():
            if not route.startswith("GET"):
                upstream.route(route, answer)
        broken = {"name": "files/f1", "state": "FAILED", "error": {"code": 3, "message": "no video"}}
        upstream.route("GET /v1beta/files/f1", json_reply(broken))
        settings = {"base_url": f"{upstream.url}/v1beta", "poll_interval": 0.01}
        async with serve(Gemini(), settings=settings) as served:
            with pytest.raises(InvalidRequestError, match="no video"):
                await served.model(MODEL).transform([video, "What is it?"])
    assert upstream.requests[-1].method == "DELETE"


async def test_what_is_said_comes_as_a_transcript() -> None:
    reply = sse(chunk({"text": "Good "}, finish=""), chunk({"text": "morning."}))
    async with Upstream({STREAM: reply}) as upstream, serve(Gemini(), settings={"base_url": upstream.url}) as served:
        result = await served.model("gemini-3.5-transcribe").transform(
            [Part(data=b"RIFF made up", media_type="audio/wav")],
            transcript={"language": "en", "vocabulary": ["MediaConduit"]},
        )
    assert result.text == "Good morning."
    assert [segment.text for segment in result.turn.parts[0].transcript.segments] == ["Good morning."]
    assert upstream.requests[0].json["generationConfig"] == {
        "audioTranscriptionConfig": {
            "languageHints": {"languageCodes": ["en"]},
            "customVocabulary": ["MediaConduit"],
        }
    }
