"""Ollama, with answers as its description shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mediaconduit import Media, Result, user
from mediaconduit.channels import open_channel
from mediaconduit.edge import Feed, answer
from mediaconduit.errors import Reason
from mediaconduit.v1 import local_models_pb2, local_models_pb2_grpc
from mediaconduit.v1.events_pb2 import FinishReason
from mediaconduit.v1.media_pb2 import Part, Role, ToolCall, ToolResult, Turn
from mediaconduit.v1.options_pb2 import Tool
from mediaconduit_provider.testing import Served
from mediaconduit_vendors.testing import Reply, Request, failure, json_reply, ndjson

from tests.integration.vendors.matrix import Case

PNG = b"\x89PNG\r\n\x1a\n made up"
MODELS = {
    "qwen3:8b": {
        "details": {"family": "qwen3", "parameter_size": "8.2B", "quantization_level": "Q4_K_M"},
        "capabilities": ["completion", "tools", "thinking", "vision", "insert"],
        "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 40960},
    },
    "all-minilm:latest": {
        "details": {"family": "bert", "parameter_size": "23M", "quantization_level": "F16"},
        "capabilities": ["embedding"],
        "model_info": {"general.architecture": "bert", "bert.context_length": 256},
    },
}
LISTED = json_reply(
    {
        "models": [
            {"name": name, "model": name, "size": 1, "details": shown["details"]} for name, shown in MODELS.items()
        ]
    }
)
RUNNING = json_reply({"models": [{"name": "qwen3:8b", "model": "qwen3:8b", "context_length": 4096}]})
ONE_LISTED = json_reply({"models": [{"name": "qwen3:8b", "model": "qwen3:8b", "details": {}}]})
DONE = {"done": True, "done_reason": "stop", "total_duration": 2_000_000_000, "prompt_eval_count": 11, "eval_count": 5}
WEATHER = Tool(name="weather", description="Tells the weather.", parameters_schema='{"type": "object"}')


def show(request: Request) -> Reply:
    shown = MODELS.get(request.json["model"])
    return json_reply(shown) if shown else failure(404, {"error": "model not found"})


ROUTES = {"GET /api/tags": LISTED, "GET /api/ps": RUNNING, "POST /api/show": show}


def refusal(status: int) -> dict[str, Any]:
    """An error as Ollama writes it."""
    return {"error": f"made up: {status}"}


def case(operation: str, path: str, check: Callable[[Any], None], **more: Any) -> Case:
    """A case of Ollama's."""
    defaults: dict[str, Any] = {"errors": refusal, "routes": ROUTES, "description": "ollama/openapi.yaml"}
    return Case(vendor="ollama", operation=operation, path=path, check=check, **{**defaults, **more})


def chunk(**message: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": "", **message}
    return {"model": "qwen3:8b", "created_at": "2026-11-01T10:00:00Z", "message": said, "done": False}


# -- chat, generate ---------------------------------------------------------------------------------------------------


def _check_chat(result: Result) -> None:
    assert (result.text, result.reasoning) == ("Grüße 👋", "They say hi.")
    assert dict(result.usage.units) == {"input-token": 11, "output-token": 5, "compute-millisecond": 2000}
    assert result.usage.nano_cost == 0
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_STOP


CHAT = case(
    "chat",
    "/api/chat",
    _check_chat,
    model="qwen3:8b",
    content=["hi", Media(PNG, "image/png")],
    keywords={
        "seed": 1,
        "system": "Be kind.",
        "text": {"temperature": 0.5, "stop": ["END"], "max_output_tokens": 50, "reasoning_effort": "high"},
        "extra": {"num_ctx": 8192, "keep_alive": "5m"},
    },
    reply=ndjson(
        chunk(thinking="They "),
        chunk(thinking="say hi."),
        chunk(content="Grü"),
        chunk(content="ße 👋"),
        {**chunk(), **DONE},
    ),
    stream_error=b'{"error": "an error was encountered while running the model"}\n',
)


def _check_tools(result: Result) -> None:
    calls = [(call.name, call.arguments) for call in result.tool_calls]
    assert calls == [("weather", '{"city": "Köln"}'), ("weather", '{"city": "Bonn"}')]
    assert len({call.id for call in result.tool_calls}) == 2
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_TOOL_CALLS


TOOLS = case(
    "chat",
    "/api/chat",
    _check_tools,
    variant="tools",
    model="qwen3:8b",
    content=[
        user("and in Köln and Bonn?"),
        Turn(
            role=Role.ROLE_ASSISTANT,
            parts=[Part(tool_call=ToolCall(id="call_1", name="weather", arguments='{"city": "Trier"}'))],
        ),
        Turn(role=Role.ROLE_TOOL, parts=[Part(tool_result=ToolResult(call_id="call_1", parts=[Part(text="rain")]))]),
    ],
    keywords={"text": {"tools": [WEATHER]}},
    reply=ndjson(
        *(
            chunk(tool_calls=[{"function": {"name": "weather", "arguments": {"city": city}}}])
            for city in ("Köln", "Bonn")
        ),
        {**chunk(), **DONE},
    ),
)


def _check_generate(result: Result) -> None:
    assert result.text == "return a + b"
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_LENGTH


GENERATE = case(
    "generate",
    "/api/generate",
    _check_generate,
    model="qwen3:8b",
    content="def add(a, b):",
    keywords={"extra": {"suffix": "\n\nprint(add(1, 2))"}, "system": "Code.", "text": {"json_schema": "{}"}},
    reply=ndjson(
        {"model": "qwen3:8b", "response": "return ", "done": False},
        {"model": "qwen3:8b", "response": "a + b", "done": False},
        {"model": "qwen3:8b", "response": "", **DONE, "done_reason": "length"},
    ),
    stream_error=b'{"error": "an error was encountered while running the model"}\n',
)

# -- embeddings -------------------------------------------------------------------------------------------------------


def _check_embeddings(result: Result) -> None:
    assert [list(found.values) for found in result.embeddings] == [[0.5, -0.25], [1.0, 0.0]]
    assert dict(result.usage.units) == {"input-token": 8}


EMBEDDINGS = case(
    "embeddings",
    "/api/embed",
    _check_embeddings,
    model="all-minilm:latest",
    content=[user("first"), user("second")],
    keywords={"embedding": {"dimensions": 2}, "extra": {"truncate": False}},
    streams=False,
    reply=json_reply({"model": "all-minilm:latest", "embeddings": [[0.5, -0.25], [1.0, 0.0]], "prompt_eval_count": 8}),
)

# -- models on the machine --------------------------------------------------------------------------------------------


async def _list(served: Served, _: Case) -> Any:
    models = await served.client.models(refresh=True)
    return sorted((model.name, tuple(model.capabilities), tuple(model.features), model.state) for model in models)


def _check_list(found: Any) -> None:
    assert [(name.rpartition("/")[2], capabilities) for name, capabilities, *_ in found] == [
        ("all-minilm:latest", ("text-to-embedding",)),
        ("qwen3:8b", ("text-to-text", "image-to-text")),
    ]


def _check_show(found: Any) -> None:
    assert [(name, capabilities) for name, capabilities, *_ in found] == [
        ("providers/ollama/models/qwen3:8b", ("text-to-text",))
    ]
    assert "tools" in found[0][2]


async def _pull(served: Served, _: Case) -> Any:
    request = local_models_pb2.PullModelRequest(name="providers/ollama/models/tiny")
    async with open_channel(served.target) as channel:
        stub: Any = local_models_pb2_grpc.LocalModelsStub(channel)
        steps = [step async for step in Feed(lambda: stub.PullModel(request))]
    return (steps[-1].completed_bytes, steps[-1].total_bytes)


def _check_pull(found: Any) -> None:
    assert found == (150, 150)


async def _delete(served: Served, _: Case) -> Any:
    request = local_models_pb2.DeleteModelRequest(name="providers/ollama/models/qwen3:8b")
    async with open_channel(served.target) as channel:
        stub: Any = local_models_pb2_grpc.LocalModelsStub(channel)
        await answer(stub.DeleteModel(request))


FOR_ALL = {
    "cancel": "one list is fetched for all who ask (ollama/openapi.yaml, GET /api/tags); nobody's leaving ends it"
}

LIST = case(
    "list", "/api/tags", _check_list, method="GET", act=_list, streams=False, reply=LISTED, not_applicable=FOR_ALL
)
SHOW = case(
    "show",
    "/api/show",
    _check_show,
    act=_list,
    streams=False,
    not_applicable=FOR_ALL,
    routes={"GET /api/tags": ONE_LISTED, "GET /api/ps": RUNNING},
    reply=json_reply({"capabilities": ["completion", "tools"], "details": {}, "model_info": {}}),
)
PULL = case(
    "pull",
    "/api/pull",
    _check_pull,
    act=_pull,
    reply=ndjson(
        {"status": "pulling manifest"},
        {"status": "pulling aaa", "digest": "sha256:aaa", "total": 100, "completed": 40},
        {"status": "pulling aaa", "digest": "sha256:aaa", "total": 100, "completed": 100},
        {"status": "pulling bbb", "digest": "sha256:bbb", "total": 50, "completed": 50},
        {"status": "verifying sha256 digest"},
        {"status": "success"},
    ),
    stream_error=b'{"error": "pull model manifest: file does not exist"}\n',
    stream_error_reason=Reason.MODEL_NOT_FOUND,
)
DELETE = case(
    "delete",
    "/api/delete",
    lambda _: None,
    method="DELETE",
    act=_delete,
    streams=False,
    reply=json_reply({}),
)

CASES = [CHAT, TOOLS, GENERATE, EMBEDDINGS, LIST, SHOW, PULL, DELETE]
NOT_APPLICABLE: dict[str, str] = {}
