import asyncio
from contextlib import aclosing

import pytest
import tiny_gguf
from llamacpp_provider.config import read_settings
from llamacpp_provider.engine import Engine
from mediaconduit.tasks import cancel_and_join, start
from mediaconduit_provider import InvalidRequestError

ENDLESS = {"messages": [{"role": "user", "content": "hello"}], "stream": True, "cache_prompt": False}


@pytest.fixture
async def engine(model_path):
    """One place only, so that a second call shows whether the first has left."""
    (config,) = read_settings({"model_path": model_path, "parallel": 1, "threads": 1, "context_tokens": 0})
    engine = await Engine.load(config)
    yield engine
    await engine.close()


async def pieces(engine, count, **request):
    """The first tokens of an answer; leaves then."""
    texts = []
    async with aclosing(engine.stream(ENDLESS | request)) as chunks:
        async for chunk in chunks:
            texts += [choice["delta"]["content"] for choice in chunk["choices"] if choice["delta"].get("content")]
            if len(texts) == count:
                break
    return texts


async def tokens_worked_on(engine):
    """Tokens of all answers and prompts since the model was loaded, once the engine has a place for one more call.

    Had it gone on with an earlier one, this would wait for that and count all of its tokens.
    """
    await pieces(engine, -1, max_tokens=1)
    metrics = await asyncio.to_thread(engine._server.handle_metrics)
    counters = dict(line.split() for line in metrics.splitlines() if line and not line.startswith("#"))
    return float(counters["llamacpp:tokens_predicted_total"]) + float(counters["llamacpp:prompt_tokens_total"])


async def test_leaving_a_stream_frees_the_place_in_the_engine(engine):
    assert len(await pieces(engine, 3)) == 3
    assert not engine.busy
    assert await tokens_worked_on(engine) < 1000


async def test_cancelling_a_reader_frees_the_place_in_the_engine(engine):
    reading = asyncio.Event()

    async def read():
        async with aclosing(engine.stream(ENDLESS)) as chunks:
            async for _ in chunks:
                reading.set()

    task = start(read(), name="reader")
    await reading.wait()
    assert engine.busy
    await cancel_and_join(task)
    assert not engine.busy
    assert await tokens_worked_on(engine) < 1000


async def test_leaving_while_the_prompt_is_read_frees_the_place(engine):
    prompt = [{"role": "user", "content": "the cow " * 3000}]
    async with aclosing(engine.stream(ENDLESS | {"messages": prompt, "return_progress": True})) as chunks:
        async for chunk in chunks:
            progress = chunk.get("prompt_progress")
            if progress and progress["processed"]:
                break
    assert progress["processed"] < progress["total"]
    assert not engine.busy
    assert await tokens_worked_on(engine) < 6000


async def test_one_who_waits_for_a_place_can_leave(engine):
    async with aclosing(engine.stream(ENDLESS)) as chunks:
        await anext(chunks)
        waiting = start(pieces(engine, 1), name="waiting")
        await asyncio.sleep(0)
        assert engine.busy
        await cancel_and_join(waiting)
        assert await anext(chunks)
    assert len(await pieces(engine, 1)) == 1


async def test_the_loop_goes_on_while_tokens_are_made(engine):
    answer = start(pieces(engine, -1, max_tokens=2000), name="answer")
    turns = 0
    while not answer.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert len(answer.result()) > 1000
    assert turns > 10


async def test_closing_waits_for_the_call_under_way(model_path):
    (config,) = read_settings({"model_path": model_path, "parallel": 1, "threads": 1})
    engine = await Engine.load(config)
    answer = start(pieces(engine, -1, max_tokens=50), name="answer")
    await asyncio.sleep(0)
    await engine.close()
    assert len(answer.result()) > 10


async def test_a_file_whose_weights_are_cut_is_refused_by_the_name_of_its_setting(tmp_path):
    whole = tiny_gguf.write(tmp_path / "whole.gguf").read_bytes()
    (tmp_path / "cut.gguf").write_bytes(whole[: len(whole) // 2])
    (config,) = read_settings({"model_path": str(tmp_path / "cut.gguf")})
    with pytest.raises(InvalidRequestError) as caught:
        await Engine.load(config)
    assert [found.field for found in caught.value.fields] == ["settings.model_path"]
