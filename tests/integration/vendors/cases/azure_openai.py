"""Azure OpenAI. Its description is an old sample: what was added since is cited."""

from __future__ import annotations

from typing import Any

from mediaconduit import Result
from mediaconduit.v1.events_pb2 import FinishReason
from mediaconduit_vendors.testing import json_reply, sse

from tests.integration.vendors.cases import openai
from tests.integration.vendors.matrix import Case

DESCRIPTION = "azure-openai/openapi.json"
_SDK = "sent by the official openai SDK to Azure as well"
_BEYOND = {
    "model is not described": _SDK,
    "stream_options is not described": "learn.microsoft.com, Azure OpenAI API 2024-10-21: chatCompletionStreamOptions",
    "content is not described": "azure-openai/openapi.json: messages have a discriminator without its alternatives",
    "encoding_format is not described": "learn.microsoft.com, Azure OpenAI API 2024-10-21: embeddings",
}
_SAFE = {"hate": {"filtered": False, "severity": "safe"}, "violence": {"filtered": False, "severity": "low"}}


def refusal(status: int) -> dict[str, Any]:
    """An error as Azure writes it."""
    codes = {404: "DeploymentNotFound"}
    return {"error": {"code": codes.get(status, str(status)), "message": f"made up: {status}"}}


def _case(operation: str, path: str, **more: Any) -> Case:
    return Case(
        vendor="azure-openai",
        operation=operation,
        path=f"/openai/deployments/mine/{path}",
        errors=refusal,
        description=DESCRIPTION,
        beyond=_BEYOND,
        model="mine",
        **more,
    )


def _chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "content_filter_results": _SAFE if finish else {}}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "gpt-4o-mini", "choices": [choice]}


def _check_chat(result: Result) -> None:
    assert result.text == "Grüße 👋"
    assert dict(result.usage.units) == {"input-token": 10, "cached-input-token": 2, "output-token": 3}
    assert result.usage.nano_cost > 0
    (finish,) = result.finishes
    assert finish.reason == FinishReason.FINISH_REASON_STOP
    assert [(score.label, score.grade) for score in finish.safety] == [("hate", "safe"), ("violence", "low")]


CHAT = _case(
    "chat",
    "chat/completions",
    check=_check_chat,
    settings={"deployments": {"mine": "gpt-4o-mini"}},
    keywords={"seed": 1, "text": {"temperature": 0.5, "stop": ["END"]}, "system": "Be kind."},
    reply=sse(
        {"choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": _SAFE}]},
        _chunk({"role": "assistant", "content": ""}),
        _chunk({"content": "Grü"}),
        _chunk({"content": "ße 👋"}),
        _chunk({}, "stop"),
        {**_chunk({}), "choices": [], "usage": openai.USAGE},
        "[DONE]",
    ),
    first=3,
    stream_error=openai.ERROR_EVENT,
)


def _check_embeddings(result: Result) -> None:
    assert [list(found.values) for found in result.embeddings] == [[0.5, -0.25]]
    assert dict(result.usage.units) == {"input-token": 8}
    assert result.usage.nano_cost > 0


EMBEDDINGS = _case(
    "embeddings",
    "embeddings",
    check=_check_embeddings,
    settings={"deployments": {"mine": "text-embedding-3-small"}},
    streams=False,
    reply=json_reply(
        {
            "object": "list",
            "model": "text-embedding-3-small",
            "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -0.25]}],
            "usage": {"prompt_tokens": 8, "total_tokens": 8},
        }
    ),
)

CASES = (CHAT, EMBEDDINGS)
NOT_APPLICABLE: dict[str, str] = {}
