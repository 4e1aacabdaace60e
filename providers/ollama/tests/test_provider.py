import pytest
from mediaconduit.errors import NotFoundError, Reason
from mediaconduit.v1.models_pb2 import ModelState
from mediaconduit_provider.testing import serve
from mediaconduit_vendors.testing import Upstream, failure, json_reply, ndjson
from ollama_provider import Ollama

SHOWN = {
    "capabilities": ["completion", "tools", "vision"],
    "details": {"family": "gemma3", "parameter_size": "4.3B", "quantization_level": "Q4_K_M"},
    "model_info": {"general.architecture": "gemma3", "gemma3.context_length": 131072},
}
MACHINE = {
    "GET /api/tags": json_reply({"models": [{"model": "gemma3:4b", "name": "gemma3:4b"}]}),
    "GET /api/ps": json_reply({"models": []}),
    "POST /api/show": json_reply(SHOWN),
}


async def test_models_are_those_on_the_machine() -> None:
    async with Upstream(MACHINE) as upstream, serve(Ollama(), settings={"base_url": upstream.url}) as served:
        [model] = await served.client.models()
    assert model.name == "providers/test/models/gemma3:4b"
    assert list(model.capabilities) == ["text-to-text", "image-to-text"]
    assert model.context_tokens == 131072
    assert model.state == ModelState.MODEL_STATE_INSTALLED
    assert model.HasField("pricing")
    assert not model.pricing.rates


async def test_a_chat_streams() -> None:
    said = [{"message": {"content": word}, "done": False} for word in ("Hel", "lo")]
    reply = ndjson(*said, {"done": True, "done_reason": "stop", "prompt_eval_count": 3, "eval_count": 2})
    async with (
        Upstream({**MACHINE, "POST /api/chat": reply}) as upstream,
        serve(Ollama(), settings={"base_url": upstream.url}) as served,
    ):
        result = await served.model("gemma3:4b").transform("hi")
    assert result.text == "Hello"
    assert dict(result.usage.units) == {"input-token": 3, "output-token": 2}


async def test_a_model_that_is_not_there_is_named() -> None:
    async with Upstream(MACHINE) as upstream, serve(Ollama(), settings={"base_url": upstream.url}) as served:
        with pytest.raises(NotFoundError) as failed:
            await served.model("gemma3:27b").transform("hi")
    assert failed.value.reason is Reason.MODEL_NOT_FOUND
    assert "gemma3:4b" in failed.value.metadata["suggestions"]


async def test_a_server_that_says_no_is_quoted() -> None:
    refused = failure(400, {"error": "registry.ollama.ai/library/gemma3:4b does not support thinking"})
    async with (
        Upstream({**MACHINE, "POST /api/chat": refused}) as upstream,
        serve(Ollama(), settings={"base_url": upstream.url}) as served,
    ):
        with pytest.raises(Exception, match="does not support thinking"):
            await served.model("gemma3:4b").transform("hi")
