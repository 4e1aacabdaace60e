import pytest
from azure_openai_provider import AzureOpenAI
from mediaconduit.errors import InvalidRequestError, PreconditionError, Reason
from mediaconduit_provider.testing import serve
from mediaconduit_vendors.testing import Upstream, failure, json_reply, sse

CHAT = "POST /openai/deployments/mine/chat/completions"
DEPLOYMENTS = {"mine": "gpt-4o", "thinker": "gpt-5", "vectors": "text-embedding-3-small"}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "made-up")
    monkeypatch.delenv("AZURE_OPENAI_ENDPOINT", raising=False)


def delta(text: str, **more: object) -> dict[str, object]:
    return {"id": "chatcmpl-1", "model": "gpt-4o", "choices": [{"index": 0, "delta": {"content": text}, **more}]}


async def test_a_deployment_is_asked_with_the_key_and_the_version() -> None:
    reply = sse({"choices": [], "prompt_filter_results": []}, delta("Hel"), delta("lo", finish_reason="stop"), "[DONE]")
    async with (
        Upstream({CHAT: reply}) as upstream,
        serve(AzureOpenAI(), settings={"base_url": upstream.url, "deployments": DEPLOYMENTS}) as served,
    ):
        assert (await served.model("mine").transform("hi")).text == "Hello"
    asked = upstream.requests[-1]
    assert asked.header("api-key") == "made-up"
    assert asked.query == [("api-version", "2024-10-21")]


async def test_a_token_of_entra_is_a_bearer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "eyJ0eXAi.made.up")
    async with (
        Upstream({CHAT: sse(delta("ok", finish_reason="stop"), "[DONE]")}) as upstream,
        serve(AzureOpenAI(), settings={"base_url": upstream.url, "deployments": DEPLOYMENTS}) as served,
    ):
        await served.model("mine").transform("hi")
    assert upstream.requests[-1].header("authorization") == "Bearer eyJ0eXAi.made.up"
    assert upstream.requests[-1].header("api-key") == ""


async def test_responses_name_the_deployment_as_their_model() -> None:
    message = {"type": "message", "id": "m", "content": [{"type": "output_text", "text": "ok"}]}
    answer = {"id": "resp_1", "object": "response", "status": "completed", "output": [message]}
    async with (
        Upstream({"POST /openai/v1/responses": json_reply(answer)}) as upstream,
        serve(AzureOpenAI(), settings={"base_url": upstream.url, "deployments": DEPLOYMENTS}) as served,
    ):
        assert (await served.model("thinker").transform("hi")).text == "ok"
    asked = upstream.requests[-1]
    assert asked.json["model"] == "thinker"
    assert asked.query == []


async def test_models_are_the_deployments_once_the_key_is_accepted() -> None:
    async with (
        Upstream(
            {"GET /openai/models": [json_reply({"data": []}), failure(401, {"error": {"code": "401"}})]}
        ) as upstream,
        serve(AzureOpenAI(), settings={"base_url": upstream.url, "deployments": DEPLOYMENTS}) as served,
    ):
        found = await served.client.models(refresh=True)
        assert {model.name.rpartition("/")[2] for model in found} == set(DEPLOYMENTS)
        with pytest.raises(PreconditionError) as failed:
            await served.client.models(refresh=True)
    assert failed.value.reason is Reason.CREDENTIALS_REJECTED


async def test_what_was_refused_is_rated() -> None:
    ratings = {"hate": {"filtered": True, "severity": "high"}, "jailbreak": {"filtered": False, "detected": False}}
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": ratings}
    refusal = {"error": {"code": "content_filter", "message": "filtered", "status": 400, "innererror": inner}}
    async with (
        Upstream({CHAT: failure(400, refusal)}) as upstream,
        serve(AzureOpenAI(), settings={"base_url": upstream.url, "deployments": DEPLOYMENTS}) as served,
    ):
        with pytest.raises(InvalidRequestError) as failed:
            await served.model("mine").transform("hi")
    assert failed.value.reason is Reason.CONTENT_REFUSED
    (scores,) = failed.value.details
    assert [(score.label, score.flagged, score.grade) for score in scores.scores] == [
        ("hate", True, "high"),
        ("jailbreak", False, ""),
    ]


async def test_a_missing_endpoint_is_named() -> None:
    async with serve(AzureOpenAI(), settings={"deployments": DEPLOYMENTS}) as served:
        with pytest.raises(PreconditionError) as failed:
            await served.model("mine").transform("hi")
    assert failed.value.metadata["variable"] == "AZURE_OPENAI_ENDPOINT"


async def test_sources_of_the_operators_own_data_are_cited() -> None:
    source = {"title": "Leave", "url": "https://example.com/leave", "content": "30 days"}
    first = {"choices": [{"index": 0, "delta": {"role": "assistant", "context": {"citations": [source]}}}]}
    async with (
        Upstream({CHAT: sse(first, delta("30 days"), delta("", finish_reason="stop"), "[DONE]")}) as upstream,
        serve(AzureOpenAI(), settings={"base_url": upstream.url, "deployments": DEPLOYMENTS}) as served,
    ):
        search = {"type": "azure_search", "parameters": {"endpoint": "https://s", "index_name": "i"}}
        result = await served.model("mine").transform("Leave?", extra={"data_sources": [search]})
    (citation,) = result.outputs[0].part.citations
    assert (citation.uri, citation.quote) == ("https://example.com/leave", "30 days")
    assert upstream.requests[-1].json["data_sources"] == [search]
