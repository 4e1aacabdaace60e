"""A llama server with one model, in this process, driven from the event loop.

The engine's calls block until an answer is complete and report its pieces to a callback. Each runs in a thread of the
engine's own; the GIL is free meanwhile, so that the event loop goes on. The callback's return value is how a call is
cancelled: the engine asks after every token and after every batch of the prompt.
"""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

import xllamacpp
from mediaconduit.tasks import join
from mediaconduit_provider import InvalidRequestError, UnavailableError

from llamacpp_provider.config import EngineConfig

T = TypeVar("T")
Chunk = dict[str, Any]
"""A piece of an answer as the engine gives it: of the form of OpenAI's chat.completion.chunk, or {"error": …}."""

POOLING_TYPES: Final = {
    "": xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_UNSPECIFIED,
    "none": xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_UNSPECIFIED,
    "mean": xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN,
    "cls": xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_CLS,
    "last": xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_LAST,
}


class RefusedError(Exception):
    """The engine did not begin with a request; the text says why, in its own words."""


class Engine:
    """One loaded model. Made by `load`; `close` frees it."""

    def __init__(self, config: EngineConfig) -> None:
        self.config = config
        self._threads = ThreadPoolExecutor(config.parallel + 1, thread_name_prefix="llama")
        # Waiting here, and not in the engine's own queue, lets a call that has not begun be cancelled at once.
        self._slots = asyncio.Semaphore(config.parallel)
        self._folder = tempfile.TemporaryDirectory(prefix="llama-")
        self._server: xllamacpp.Server | None = None

    @classmethod
    async def load(cls, config: EngineConfig) -> Engine:
        """Loads the model, which takes seconds for a large one. Raises `InvalidRequestError` when that fails."""
        engine = cls(config)
        try:
            work = engine._in_thread(lambda: xllamacpp.Server(engine._params()))
            await join(work)
            engine._server = work.result()
        except RuntimeError as error:
            raise InvalidRequestError.at(
                config.field,
                "the engine cannot load this model",
                hint="the provider's log says why: an incomplete file, or too little memory for context_tokens",
            ) from error
        finally:
            if engine._server is None:
                await engine.close()
        return engine

    @property
    def busy(self) -> bool:
        """Whether a call would have to wait."""
        return self._slots.locked()

    async def stream(self, request: Mapping[str, Any]) -> AsyncGenerator[Chunk, None]:
        """The pieces of an answer as the model makes them. Leaving ends the work before this returns.

        Raises `RefusedError` for a request it does not understand.
        """
        async with self._slots:
            server = self._running()
            answer = _Answer(asyncio.get_running_loop())
            work = self._in_thread(lambda: server.handle_chat_completions(dict(request), answer.piece))
            work.add_done_callback(lambda _: answer.end())
            try:
                while (chunk := await answer.pieces.get()) is not None:
                    yield chunk
            finally:
                answer.left = True
                await join(work)
            try:
                work.result()
            except ValueError as error:
                raise RefusedError(str(error)) from error

    async def embed(self, texts: Sequence[str]) -> Chunk:
        """Embeddings of a few texts, at most `config.parallel` to keep a cancel short."""
        async with self._slots:
            server = self._running()
            work = self._in_thread(lambda: server.handle_embeddings({"input": list(texts)}))
            await join(work)
            answer: Chunk = work.result()
            return answer

    async def close(self) -> None:
        """Waits for the calls under way and frees the memory."""
        for _ in range(self.config.parallel):
            await self._slots.acquire()
        await self._in_thread(self._drop)
        self._threads.shutdown()
        self._folder.cleanup()
        for _ in range(self.config.parallel):
            self._slots.release()

    def _drop(self) -> None:
        self._server = None

    def _running(self) -> xllamacpp.Server:
        if self._server is None:
            raise UnavailableError("this model is being replaced", retry_after=1.0)
        return self._server

    def _in_thread(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _params(self) -> xllamacpp.CommonParams:
        config, params = self.config, xllamacpp.CommonParams()
        params.model.path = str(config.path)
        params.model_alias = {config.model_id}
        params.n_ctx = config.context_tokens * config.parallel
        params.n_parallel = config.parallel
        params.n_batch = params.n_ubatch = config.batch_tokens
        params.n_gpu_layers = config.gpu_layers
        if config.threads:
            params.cpuparams.n_threads = params.cpuparams_batch.n_threads = config.threads
        params.embedding = config.pooling != "none"
        params.pooling_type = POOLING_TYPES[config.pooling]
        params.fit_params = False  # what was asked for, or an error
        params.verbosity = 1  # errors only: more would put prompts into the log
        params.endpoint_metrics = True
        # The engine always listens. It does so where only this user gets in, with a key nobody has.
        params.hostnames = [str(Path(self._folder.name) / "llama.sock")]
        params.api_keys = [secrets.token_hex(32)]
        params.endpoint_slots = params.ui = False
        return params


class _Answer:
    """Carries pieces from the engine's thread to the event loop.

    It needs no bound: there are at most `context_tokens` pieces.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.pieces: asyncio.Queue[Chunk | None] = asyncio.Queue()
        self.left = False
        """Nobody reads any more. Set by the loop, read by the thread."""
        self._loop = loop

    def piece(self, chunk: Chunk) -> bool:
        """Called by the engine; True ends the work."""
        if not self.left:
            self._loop.call_soon_threadsafe(self.pieces.put_nowait, chunk)
        return self.left

    def end(self) -> None:
        self.pieces.put_nowait(None)
