import pytest
from mediaconduit.errors import NotFoundError, UnavailableError
from mediaconduit_provider.testing import serve
from mediaconduit_vendors.testing import Upstream, failure, json_reply, sse
from openai_compatible_provider import OpenAICompatible

CHAT = "POST /v1/chat/completions"
ANSWER = sse(
    {"id": "c1", "model": "m", "choices": [{"index": 0, "delta": {"content": "Hello"}, "finish_reason": "stop"}]},
    "[DONE]",
)
LIST = {
    "GET /v1/models": json_reply(
        {
            "object": "list",
            "data": [
                {"id": "Qwen/Qwen2.5-VL-7B-Instruct", "max_model_len": 32768},
                {"id": "BAAI/bge-m3"},
                {"id": "kokoro"},
                {"id": "Systran/faster-whisper-small", "task": "automatic-speech-recognition"},
                {"id": "odd-name"},
                {"id": "bge-reranker-v2"},
            ],
        }
    )
}


async def test_a_servers_models_are_told_apart() -> None:
    settings = {"models": {"odd-name": {"kind": "embedding"}, "not-listed": {"kind": "chat", "features": []}}}
    async with (
        Upstream(LIST) as upstream,
        serve(OpenAICompatible(), settings={"base_url": f"{upstream.url}/v1", **settings}) as served,
    ):
        models = {model.name.partition("/models/")[2]: model for model in await served.client.models(refresh=True)}
    assert {name: list(model.capabilities) for name, model in models.items()} == {
        "Qwen/Qwen2.5-VL-7B-Instruct": ["text-to-text", "image-to-text"],
        "BAAI/bge-m3": ["text-to-embedding"],
        "kokoro": ["text-to-audio"],
        "Systran/faster-whisper-small": ["audio-to-text"],
        "odd-name": ["text-to-embedding"],
        "not-listed": ["text-to-text"],
    }
    assert models["Qwen/Qwen2.5-VL-7B-Instruct"].context_tokens == 32768


async def test_a_key_is_sent_where_there_is_one() -> None:
    async with Upstream({CHAT: ANSWER, **LIST}) as upstream:
        settings = {"base_url": f"{upstream.url}/v1", "models": {"m": {"kind": "chat"}}}
        async with serve(OpenAICompatible(), settings=settings) as served:
            assert (await served.model("m").transform("hi")).text == "Hello"
        assert upstream.requests[-1].header("authorization") == ""
        async with serve(OpenAICompatible(), settings={**settings, "api_key": "made-up"}) as served:
            await served.model("m").transform("hi")
        assert upstream.requests[-1].header("authorization") == "Bearer made-up"


async def test_options_that_only_this_server_knows_are_declared_in_the_settings() -> None:
    settings = {"models": {"m": {"kind": "chat"}}, "options": {"mirostat": {"enum": [0, 1, 2]}}}
    async with (
        Upstream({CHAT: ANSWER, **LIST}) as upstream,
        serve(OpenAICompatible(), settings={"base_url": f"{upstream.url}/v1", **settings}) as served,
    ):
        await served.model("m").transform("hi", text={"top_k": 40, "max_output_tokens": 9}, extra={"mirostat": 2})
    asked = upstream.requests[-1].json
    assert (asked["mirostat"], asked["top_k"], asked["max_tokens"]) == (2, 40, 9)


async def test_a_model_the_server_does_not_have_is_not_found() -> None:
    async with (
        Upstream(LIST) as upstream,
        serve(OpenAICompatible(), settings={"base_url": f"{upstream.url}/v1"}) as served,
    ):
        with pytest.raises(NotFoundError):
            await served.model("gone").transform("hi")


async def test_a_server_that_is_down_is_named_as_the_trouble() -> None:
    async with Upstream({}) as upstream:
        url = upstream.url
    async with serve(OpenAICompatible(), settings={"base_url": f"{url}/v1", "attempts": 1}) as served:
        with pytest.raises(UnavailableError, match="cannot be reached"):
            await served.client.models(refresh=True)
        with pytest.raises(UnavailableError, match="cannot be reached"):
            await served.model("any").transform("hi")


@pytest.mark.parametrize(
    "answer",
    [
        {"voices": ["af_heart", "bm_fable"]},
        {"voices": [{"id": "af_heart", "name": "Heart"}, {"id": "bm_fable"}]},
        [{"voice_id": "af_heart", "language": "en-us"}, {"name": "bm_fable"}, {}, None],
    ],
)
async def test_voices_are_listed_as_servers_list_them(answer: object) -> None:
    async with (
        Upstream({"GET /v1/audio/voices": json_reply(answer), **LIST}) as upstream,
        serve(OpenAICompatible(), settings={"base_url": f"{upstream.url}/v1"}) as served,
    ):
        found = [voice.name.rpartition("/")[2] for voice in await served.client.voices()]
    assert found == ["af_heart", "bm_fable"]


async def test_a_server_without_voices_has_none() -> None:
    missing = failure(404, {"detail": "Not Found"})
    async with (
        Upstream({"GET /v1/audio/voices": missing, **LIST}) as upstream,
        serve(OpenAICompatible(), settings={"base_url": f"{upstream.url}/v1"}) as served,
    ):
        assert list(await served.client.voices()) == []
