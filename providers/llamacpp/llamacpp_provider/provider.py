"""The provider: settings become engines, engines become models, calls go to their engine."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import aclosing
from typing import Any

from mediaconduit.tasks import TaskOwner
from mediaconduit_provider import (
    Call,
    Embedding,
    InputSpec,
    Model,
    ModelState,
    NotFoundError,
    Pricing,
    Progress,
    Provider,
    Reason,
    Usage,
)
from mediaconduit_provider.outputs import Yielded

from llamacpp_provider.answer import Answer
from llamacpp_provider.chat import OPTIONS, chat_request, items
from llamacpp_provider.config import SCHEMA, EngineConfig, read_settings
from llamacpp_provider.engine import Engine, RefusedError
from llamacpp_provider.failures import from_answer, from_refusal

INPUT = InputSpec(media_types=["text/*", "application/json"], max_bytes=16 * 1024 * 1024)


class LlamaCpp(Provider):
    """GGUF models on this machine."""

    display_name = "llama.cpp"
    settings_schema = SCHEMA
    max_concurrency = 64

    def __init__(self) -> None:
        self._engines: dict[str, Engine] = {}
        self._retiring = TaskOwner()

    async def configure(self, settings: Mapping[str, Any]) -> None:
        """Loads what is new and keeps what stays; engines that go finish their calls first."""
        configs = read_settings(settings)
        loaded: dict[str, Engine] = {}
        old = {engine.config: engine for engine in self._engines.values()}
        try:
            for config in configs:
                loaded[config.model_id] = old.get(config) or await Engine.load(config)
        except BaseException:
            self._retire(engine for engine in loaded.values() if engine.config not in old)
            raise
        replaced, self._engines = self._engines, loaded
        self._retire(engine for engine in replaced.values() if engine not in loaded.values())
        self.models = [describe(config) for config in configs]
        await super().configure(settings)

    def _retire(self, engines: Iterable[Engine]) -> None:
        for engine in engines:
            self._retiring.start(engine.close(), name=f"close {engine.config.model_id}")

    async def close(self) -> None:
        """Frees all models."""
        engines, self._engines, self.models = self._engines, {}, ()
        self._retire(engines.values())
        await self._retiring.join()

    async def transform(self, call: Call) -> AsyncIterator[Yielded]:
        """Chats or embeds."""
        engine = self._engines.get(call.model.id)
        if engine is None:
            raise NotFoundError(
                "this model is not loaded any more", reason=Reason.MODEL_NOT_FOUND, metadata={"model": call.model.id}
            )
        if engine.busy:
            yield Progress(stage="queued", message="waiting for one of the model's places (settings.parallel)")
        work = embed(engine, call) if call.capability == "text-to-embedding" else chat(engine, call)
        async with aclosing(work):
            async for yielded in work:
                yield yielded


async def chat(engine: Engine, call: Call) -> AsyncGenerator[Yielded, None]:
    """Tokens as they come."""
    schema = call.options.text.json_schema
    media_type = "application/json" if schema else call.media_type("text/plain", "application/json")
    as_json = media_type == "application/json"
    answer = Answer(media_type, call.options.text.top_logprobs)
    request = chat_request(call, as_json=as_json)
    try:
        async with aclosing(engine.stream(request)) as chunks:
            async for chunk in chunks:
                for yielded in answer.read(chunk):
                    yield yielded
    except RefusedError as error:
        raise from_refusal(str(error), schema=bool(schema)) from error
    for yielded in answer.end():
        yield yielded


async def embed(engine: Engine, call: Call) -> AsyncGenerator[Yielded, None]:
    """One vector for each user turn."""
    texts, tokens, step = items(call.turns), 0, engine.config.parallel
    for start in range(0, len(texts), step):
        answer = await engine.embed(texts[start : start + step])
        if error := answer.get("error"):
            raise from_answer(error)
        for found in sorted(answer["data"], key=lambda found: found["index"]):
            yield Embedding(values=found["embedding"], input=start + found["index"])
        tokens += answer["usage"]["prompt_tokens"]
        yield Usage(units={"input-token": tokens}, nano_cost=0)


def describe(config: EngineConfig) -> Model:
    """A loaded model, for those who choose among models."""
    return Model(
        config.model_id,
        capabilities=config.capabilities,
        display_name=config.header.name or config.model_id,
        description=f"A {config.header.architecture} model on the provider's machine.",
        options=OPTIONS if config.chats else {},
        inputs=[INPUT],
        output_media_types=["text/plain", "application/json"] if config.chats else [],
        features=["streaming", "tools", "json-schema", "logprobs"] if config.chats else [],
        context_tokens=config.context_tokens,
        pricing=Pricing(),  # no rates: free
        state=ModelState.MODEL_STATE_LOADED,
    )
