import pytest
from mediaconduit.errors import PreconditionError, Reason
from mediaconduit_provider.testing import serve
from mediaconduit_vendors.testing import Upstream, binary, json_reply, sse
from openai_provider import OpenAI

CHAT = "POST /v1/chat/completions"
MODELS = {"GET /v1/models": json_reply({"data": [{"id": "gpt-4o-mini"}, {"id": "unknown-kind"}]})}


def delta(text: str, **more: object) -> dict[str, object]:
    return {
        "id": "chatcmpl-1",
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "delta": {"content": text}, **more}],
    }


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-made-up")


async def test_a_chat_streams_and_says_what_it_took() -> None:
    usage = {
        "choices": [],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 2}},
    }
    reply = sse(
        delta("Hel"), delta("lo"), delta("", finish_reason="stop"), usage, "[DONE]", headers={"x-request-id": "req_1"}
    )
    async with (
        Upstream({CHAT: reply, **MODELS}) as upstream,
        serve(OpenAI(), settings={"base_url": f"{upstream.url}/v1"}) as served,
    ):
        result = await served.model("gpt-4o-mini").transform("hi", text={"temperature": 0.5})
    assert result.text == "Hello"
    assert dict(result.usage.units) == {"input-token": 10, "cached-input-token": 2, "output-token": 3}
    assert result.usage.nano_cost > 0
    assert result.provenance.vendor_request_id == "req_1"
    asked = upstream.requests[-1]
    assert asked.header("authorization") == "Bearer sk-made-up"
    assert asked.json["messages"] == [{"role": "user", "content": "hi"}]
    assert asked.json["temperature"] == 0.5


async def test_a_model_says_when_it_was_made() -> None:
    models = json_reply({"data": [{"id": "gpt-4o-mini", "created": 1721172741}]})
    async with (
        Upstream({"GET /v1/models": models}) as upstream,
        serve(OpenAI(), settings={"base_url": f"{upstream.url}/v1"}) as served,
    ):
        (model,) = await served.client.models(refresh=True)
    assert model.release_time.ToJsonString() == "2024-07-16T23:32:21Z"


async def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    async with serve(OpenAI(), settings={}) as served:
        with pytest.raises(PreconditionError, match="needs a key") as failed:
            await served.model("gpt-4o-mini").transform("hi")
    assert failed.value.reason is Reason.CREDENTIALS_MISSING
    assert failed.value.metadata["variable"] == "OPENAI_API_KEY"


async def test_models_come_from_the_vendor_and_new_ones_are_used_as_their_names_say() -> None:
    names = ("gpt-4o-mini", "gpt-99-turbo", "gpt-image-77", "text-embedding-9", "gpt-realtime-99", "unknown-kind")
    models = json_reply({"data": [{"id": name, "created": 1_700_000_000} for name in names]})
    async with (
        Upstream({"GET /v1/models": models}) as upstream,
        serve(OpenAI(), settings={"base_url": f"{upstream.url}/v1"}) as served,
    ):
        found = {model.name.rpartition("/")[2]: model for model in await served.client.models(refresh=True)}
    assert {name: model.capabilities[0] for name, model in found.items()} == {
        "gpt-4o-mini": "text-to-text",
        "gpt-99-turbo": "text-to-text",
        "gpt-image-77": "text-to-image",
        "text-embedding-9": "text-to-embedding",
    }
    assert found["gpt-99-turbo"].release_time.seconds == 1_700_000_000
    assert "reasoning" in found["gpt-99-turbo"].features
    assert not found["gpt-99-turbo"].HasField("pricing")


async def test_a_voice_is_named_by_its_id_or_in_full() -> None:
    speech = binary(b"ID3", "audio/mpeg")
    async with (
        Upstream({"POST /v1/audio/speech": speech, **MODELS}) as upstream,
        serve(OpenAI(), provider_id="openai", settings={"base_url": f"{upstream.url}/v1"}) as served,
    ):
        voices = {voice.name for voice in await served.client.voices()}
        assert "providers/openai/voices/nova" in voices
        for voice in ("nova", "providers/openai/voices/nova"):
            assert (await served.model("tts-1").transform("hi", audio={"voice": voice})).data == b"ID3"
            assert upstream.requests[-1].json["voice"] == "nova"
