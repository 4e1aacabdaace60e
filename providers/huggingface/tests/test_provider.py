import pytest
from huggingface_provider import HuggingFace
from mediaconduit.errors import NotFoundError, PreconditionError, Reason, UnavailableError
from mediaconduit_provider.testing import serve
from mediaconduit_vendors.testing import Upstream, binary, failure, json_reply, sse

LISTED = {
    "id": "org/talker",
    "architecture": {"input_modalities": ["text"]},
    "providers": [
        {"provider": "a", "status": "live", "pricing": {"input": 1, "output": 2}, "supports_tools": True},
        {"provider": "b", "status": "live", "pricing": {"input": 3, "output": 4}, "context_length": 8192},
        {"provider": "c", "status": "error"},
    ],
}
PLACE = {
    "GET /api/whoami-v2": json_reply({"name": "me"}),
    "GET /v1/models": json_reply({"data": [LISTED]}),
    "GET /api/models/org/painter": json_reply({"pipeline_tag": "text-to-image"}),
    "GET /api/models/org/strange": json_reply({"pipeline_tag": "robotics"}),
    "GET /api/models/org/nothing": failure(404, {"error": "Repository not found"}),
}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_made-up")


def served(upstream: Upstream):
    return serve(HuggingFace(), settings={"base_url": upstream.url, "attempts": 1})


async def test_models_are_listed_by_themselves_and_at_each_provider() -> None:
    async with Upstream(PLACE) as upstream, served(upstream) as it:
        models = {model.name.partition("/models/")[2]: model for model in await it.client.models()}
    assert set(models) == {"org/talker", "org/talker:a", "org/talker:b"}
    assert not models["org/talker"].HasField("pricing")  # the router chooses, and they differ
    assert [rate.nano_price for rate in models["org/talker:b"].pricing.rates] == [3_000_000_000, 4_000_000_000]
    assert "tools" in models["org/talker:a"].features
    assert "tools" not in models["org/talker:b"].features


async def test_a_chat_streams_by_the_provider_that_is_named() -> None:
    chunk = {"model": "org/talker", "choices": [{"index": 0, "delta": {"content": "Hello"}, "finish_reason": "stop"}]}
    routes = {**PLACE, "POST /v1/chat/completions": sse(chunk, "[DONE]")}
    async with Upstream(routes) as upstream, served(upstream) as it:
        assert (await it.model("org/talker:a").transform("hi")).text == "Hello"
        assert upstream.requests[-1].json["model"] == "org/talker:a"


async def test_any_model_of_the_hub_is_used_as_the_hub_says() -> None:
    routes = {**PLACE, "POST /hf-inference/models/org/painter": binary(b"\xff\xd8", "image/jpeg")}
    async with Upstream(routes) as upstream, served(upstream) as it:
        for _ in range(2):
            assert (await it.model("org/painter").transform("a fox")).data == b"\xff\xd8"
        assert [request.path for request in upstream.requests].count("/api/models/org/painter") == 1


@pytest.mark.parametrize("model_id", ["org/nothing", "org/strange"])
async def test_a_model_that_is_not_there_or_of_no_use_is_not_found(model_id: str) -> None:
    async with Upstream(PLACE) as upstream, served(upstream) as it:
        with pytest.raises(NotFoundError) as failed:
            await it.model(model_id).transform("hi")
    assert failed.value.reason is Reason.MODEL_NOT_FOUND


async def test_a_model_that_is_being_loaded_says_how_long_that_takes() -> None:
    loading = failure(503, {"error": "Model org/painter is currently loading", "estimated_time": 20.5})
    routes = {**PLACE, "POST /hf-inference/models/org/painter": loading}
    async with Upstream(routes) as upstream, served(upstream) as it:
        with pytest.raises(UnavailableError) as failed:
            await it.model("org/painter").transform("a fox")
    assert failed.value.retry_after == 20.5


async def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    async with Upstream(PLACE) as upstream, served(upstream) as it:
        with pytest.raises(PreconditionError) as failed:
            await it.model("org/talker").transform("hi")
    assert failed.value.reason is Reason.CREDENTIALS_MISSING
    assert failed.value.metadata["variable"] == "HF_TOKEN"
