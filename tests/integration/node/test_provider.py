"""A provider in TypeScript: what its author may do, and what callers see of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from mediaconduit import Media, MediaConduitError, tasks
from mediaconduit.channels import open_channel
from mediaconduit.client import Model
from mediaconduit.errors import Reason
from mediaconduit.v1 import local_models_pb2, local_models_pb2_grpc, voices_pb2, voices_pb2_grpc
from mediaconduit.v1.events_pb2 import FinishReason, OutputKind

from tests.support.brokers import PROVIDERS, load

from .conftest import Alone, Sidecar, Start

FOLDER = PROVIDERS / "typescript"
KEY = "key-of-a-test"


@pytest.fixture
async def alone(sidecar: Sidecar) -> AsyncIterator[Alone]:
    async with sidecar(FOLDER, {"TYPESCRIPT_KEY": KEY}) as started:
        yield started


@pytest.fixture
def words(alone: Alone) -> Model:
    return alone.client.model("providers/typescript/models/words")


async def test_typescript_runs_with_paths_json_and_files_beside_the_source(words: Model) -> None:
    assert (await words.transform("moo")).text == "MOO!! 1s"


async def test_everything_an_author_yields_becomes_outputs(words: Model) -> None:
    result = await words.transform("x", extra={"do": "parts"})
    kinds = [output.started.kind for output in result.outputs]
    assert kinds == [
        OutputKind.OUTPUT_KIND_REASONING,
        OutputKind.OUTPUT_KIND_TEXT,
        OutputKind.OUTPUT_KIND_TEXT,
        OutputKind.OUTPUT_KIND_TOOL_CALL,
    ]
    assert result.outputs[2].started.name == "facts"
    assert dict(result.usage.units) == {"character": 3}
    assert result.provenance.vendor_model == "ts-1"
    assert [finish.reason for finish in result.finishes] == [FinishReason.FINISH_REASON_LENGTH]


async def test_halves_of_a_character_are_put_together(words: Model) -> None:
    assert (await words.transform("x", extra={"do": "halves"})).text == "🐮"


async def test_what_piles_up_is_sent_in_few_messages(words: Model) -> None:
    events = [event async for event in words.stream("x", extra={"do": "count", "count": 50_000})]
    assert "".join(event.text for event in events).split() == [str(at) for at in range(50_000)]
    assert len(events) < 5_000


async def test_the_first_output_leaves_before_an_author_who_blocks(words: Model, tmp_path: Path) -> None:
    """He blocks until a file is there, which is made when his first words have come."""
    heard = tmp_path / "heard"
    said = []
    async for event in words.stream("x", extra={"do": "block", "until": str(heard)}):
        if event.text:
            heard.touch()
            said.append(event.text)
    assert said == ["first", " last"]


async def test_bytes_come_in_and_go_out(alone: Alone) -> None:
    tone = alone.client.model("providers/typescript/models/tone")
    assert (await tone.transform("x")).data == bytes([7]) * 300_000
    result = await tone.transform("x", inputs={"voice": Media(b"abc", "audio/wav")})
    assert result.data == b"abc"
    with pytest.raises(MediaConduitError) as failure:
        await tone.transform("x", inputs={"voice": Media(b"a" * 2000, "audio/wav")})
    assert failure.value.reason is Reason.INPUT_TOO_LARGE


async def test_an_option_out_of_range_names_its_field(words: Model) -> None:
    with pytest.raises(MediaConduitError) as failure:
        await words.transform("x", text={"temperature": 3}, extra={"count": 0})
    assert {field.field for field in failure.value.fields} == {"options.text.temperature", "options.extra.count"}
    assert "from 0 to 2" in str(failure.value)


async def test_an_unforeseen_error_stays_in_the_logs_with_the_authors_line(alone: Alone, words: Model) -> None:
    with pytest.raises(MediaConduitError) as failure:
        await words.transform("x", extra={"do": "fail"})
    assert failure.value.reason is Reason.INTERNAL
    assert "cow" not in str(failure.value)
    line = await alone.line(failure.value.metadata["error_id"])
    assert line.startswith("<3>")
    assert re.search(r"the cow has left.*src/lib/louder\.ts:16", line)


async def test_cancelling_runs_the_authors_clean_up(words: Model) -> None:
    stream = words.stream("x", extra={"do": "wait"})
    async for event in stream:
        if event.text:
            break
    await stream.aclose()
    async with asyncio.timeout(5):
        while (await words.transform("x", extra={"do": "stopped"})).text != "1":
            pass


async def test_a_deadline_aborts_the_signal(words: Model) -> None:
    with pytest.raises(MediaConduitError) as failure:
        await words.transform("x", extra={"do": "wait"}, timeout=0.3)
    assert failure.value.reason is Reason.DEADLINE_EXCEEDED
    async with asyncio.timeout(5):
        while (await words.transform("x", extra={"do": "stopped"})).text != "1":
            pass


async def test_a_closed_lifeline_ends_even_code_that_blocks(alone: Alone, words: Model) -> None:
    call = tasks.start(words.transform("x", extra={"do": "hang"}), name="hanging")
    await alone.line("hanging now")
    assert alone.process.stdin is not None
    alone.process.stdin.close()
    async with asyncio.timeout(20):
        assert await alone.process.wait() == -9
    with pytest.raises(MediaConduitError):
        await call


async def test_a_live_session_answers_piece_by_piece(alone: Alone) -> None:
    async with alone.client.model("providers/typescript/models/talk").live() as session:
        await session.send("hello")
        await session.respond()
        await session.interrupt()
        await session.finish()
        assert "".join([event.text async for event in session]) == "hellowellstopped"


async def test_a_key_is_there_when_the_module_is_imported_and_is_never_told(start: Start) -> None:
    async with start({"TYPESCRIPT_KEY": KEY}) as (_, client):
        await load(client, "./typescript", settings={"greeting": "hi"})
        words = client.model("typescript/words")
        assert (await words.transform("x", extra={"do": "greeting"})).text == f"hi {KEY}"
        with pytest.raises(MediaConduitError) as failure:
            await words.transform("x", extra={"do": "refuse"})
        assert failure.value.reason is Reason.CONTENT_REFUSED
        assert failure.value.message == "not with ***"
        with pytest.raises(MediaConduitError) as refused:
            await client.provider("typescript").configure({"greeting": "x" * 21})
        assert "settings.greeting" in str(refused.value)
        described = await client.provider("typescript").describe()
        assert described.display_name == "In TypeScript"
        assert described.version == "1.2.3"


async def test_a_missing_key_is_said(start: Start) -> None:
    async with start() as (_, client):
        await load(client, "./typescript")
        with pytest.raises(MediaConduitError) as failure:
            await client.model("typescript/words").transform("x")
    assert failure.value.reason is Reason.CREDENTIALS_MISSING
    assert "TYPESCRIPT_KEY" in str(failure.value)


async def test_voices_are_listed_made_once_and_removed(alone: Alone) -> None:
    async with open_channel(alone.target) as channel:
        voices: Any = voices_pb2_grpc.VoicesStub(channel)
        request = voices_pb2.CreateVoiceRequest(display_name="Bert", request_id="one")
        made = [(await voices.CreateVoice(request)).voice for _ in range(2)]
        assert made[0] == made[1]
        listed = await voices.ListVoices(voices_pb2.ListVoicesRequest(page_size=1))
        assert [voice.name for voice in listed.voices] == ["providers/typescript/voices/anna"]
        request = voices_pb2.ListVoicesRequest(page_token=listed.next_page_token)
        assert [voice.display_name for voice in (await voices.ListVoices(request)).voices] == ["Bert"]
        await voices.DeleteVoice(voices_pb2.DeleteVoiceRequest(name=made[0].name))
        assert len((await voices.ListVoices(voices_pb2.ListVoicesRequest())).voices) == 1


async def test_a_fetch_of_a_model_is_shared_and_ends_with_its_last_watcher(alone: Alone, words: Model) -> None:
    async with open_channel(alone.target) as channel:
        models: Any = local_models_pb2_grpc.LocalModelsStub(channel)
        name = "providers/typescript/models/"
        request = local_models_pb2.PullModelRequest(name=f"{name}tiny")
        steps = [step async for step in models.PullModel(request)]
        assert steps[-1].stage == "verify"
        endless = [models.PullModel(local_models_pb2.PullModelRequest(name=f"{name}endless")) for _ in range(2)]
        for call in endless:
            assert (await call.read()).completed_bytes == 1
        endless[0].cancel()
        assert (await words.transform("x", extra={"do": "stopped"})).text == "0"
        endless[1].cancel()
        async with asyncio.timeout(5):
            while (await words.transform("x", extra={"do": "stopped"})).text != "1":
                pass
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await models.DeleteModel(local_models_pb2.DeleteModelRequest(name=f"{name}tiny"))
        assert failure.value.code() is grpc.StatusCode.INVALID_ARGUMENT
