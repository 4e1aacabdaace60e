import base64

import pytest
from mediaconduit.errors import PreconditionError, Reason
from mediaconduit_provider.testing import serve
from mediaconduit_vendors.testing import Upstream, binary, json_reply, sse
from xai_provider import XAI

LISTS = {
    "GET /v1/language-models": json_reply(
        {"models": [{"id": "grok-test", "input_modalities": ["text"], "prompt_text_token_price": 20000}]}
    ),
    "GET /v1/embedding-models": json_reply({"models": []}),
    "GET /v1/image-generation-models": json_reply({"models": [{"id": "grok-imagine-image"}]}),
    "GET /v1/video-generation-models": json_reply({"models": []}),
}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XAI_API_KEY", "made-up")


def served(upstream: Upstream):
    return serve(XAI(), settings={"base_url": f"{upstream.url}/v1"})


async def test_models_come_with_the_prices_xai_states() -> None:
    async with Upstream(LISTS) as upstream, served(upstream) as it:
        models = {model.name.rpartition("/")[2]: model for model in await it.client.models()}
    assert set(models) == {"grok-test", "grok-imagine-image", "tts"}
    [rate] = models["grok-test"].pricing.rates
    assert rate.nano_price / rate.per == 2000  # 2 dollars for a million tokens
    assert list(models["grok-imagine-image"].capabilities) == ["text-to-image", "image-to-image"]


async def test_a_chat_streams() -> None:
    def chunk(text: str, finish: str | None = None) -> dict[str, object]:
        return {"model": "grok-test", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}

    reply = sse(chunk("Hel"), chunk("lo"), chunk("", "stop"), "[DONE]")
    async with Upstream({**LISTS, "POST /v1/chat/completions": reply}) as upstream, served(upstream) as it:
        assert (await it.model("grok-test").transform("hi")).text == "Hello"
        assert upstream.requests[-1].header("authorization") == "Bearer made-up"


async def test_a_picture_is_made() -> None:
    reply = json_reply({"data": [{"b64_json": base64.b64encode(b"\xff\xd8").decode()}]})
    async with Upstream({**LISTS, "POST /v1/images/generations": reply}) as upstream, served(upstream) as it:
        assert (await it.model("grok-imagine-image").transform("a fox")).data == b"\xff\xd8"


async def test_speech_in_raw_samples_has_the_order_of_bytes_it_says() -> None:
    async with Upstream({**LISTS, "POST /v1/tts": binary(b"\x01\x02\x03\x04", "audio/pcm")}) as upstream:
        async with served(upstream) as it:
            wanted = ["audio/L16; rate=16000; channels=1"]
            result = await it.model("tts").transform("Hello.", output_media_types=wanted)
        sent = upstream.requests[-1].json
    assert result.data == b"\x02\x01\x04\x03"
    assert sent["output_format"] == {"codec": "pcm", "sample_rate": 16000}


async def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XAI_API_KEY")
    async with serve(XAI(), settings={}) as it:
        with pytest.raises(PreconditionError) as failed:
            await it.model("tts").transform("Hello.")
    assert failed.value.reason is Reason.CREDENTIALS_MISSING
    assert failed.value.metadata["variable"] == "XAI_API_KEY"
