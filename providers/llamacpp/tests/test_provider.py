"""Through a real server, a real client and the real engine."""

import asyncio
import json
import math

import pytest
import tiny_gguf
from llamacpp_provider import LlamaCpp
from mediaconduit.content import assistant, user
from mediaconduit.events import Progress, TextDelta
from mediaconduit.tasks import start
from mediaconduit_provider import (
    FinishReason,
    InvalidRequestError,
    MediaConduitError,
    ModelState,
    Part,
    Reason,
    Role,
    ToolCall,
    ToolResult,
    Turn,
)
from mediaconduit_provider.testing import serve

WEATHER = {
    "name": "weather",
    "description": "Of a city.",
    "parameters_schema": json.dumps(
        {"type": "object", "properties": {"city": {"enum": ["Rome", "Oslo"]}}, "required": ["city"]}
    ),
}


@pytest.fixture
async def served(model_path):
    settings = {"model_path": model_path, "parallel": 1, "threads": 1, "context_tokens": 2048}
    async with serve(LlamaCpp(), provider_id="llamacpp", settings=settings) as served:
        yield served


@pytest.fixture
def model(served):
    return served.model("tiny")


def few(**text):
    return {"max_output_tokens": 20, **text}


async def test_the_model_says_something_and_what_it_took(model):
    result = await model.transform("hello", seed=1, text=few())
    assert len(result.text.split()) == 20
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_LENGTH
    assert result.usage.units["output-token"] == 20
    assert result.usage.units["input-token"] > 5
    assert result.usage.nano_cost == 0


async def test_the_same_seed_says_the_same(model):
    said = {(await model.transform("hello", seed=seed, text=few())).text for seed in (1, 1, 2)}
    assert len(said) == 2


async def test_no_temperature_needs_no_seed(model):
    said = {(await model.transform("hello", text=few(temperature=0))).text for _ in range(3)}
    assert len(said) == 1


async def test_tokens_come_one_by_one(model):
    pieces = [event.text async for event in model.stream("hello", text=few()) if isinstance(event, TextDelta)]
    assert len(pieces) > 1
    assert "".join(pieces) == "".join(piece for piece in pieces if piece)


async def test_a_stop_sequence_ends_the_answer_and_is_not_part_of_it(model):
    whole = await model.transform("hello", seed=1, text=few())
    word = whole.text.split()[5]
    result = await model.transform("hello", seed=1, text=few(stop=[word]))
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_STOP
    assert word not in result.text
    assert whole.text.startswith(result.text)


async def test_a_schema_is_a_grammar_the_answer_cannot_leave(model):
    schema = {
        "type": "object",
        "properties": {"ok": {"type": "boolean"}, "size": {"enum": ["small", "large"]}},
        "required": ["ok", "size"],
        "additionalProperties": False,
    }
    result = await model.transform("hello", seed=1, text={"json_schema": json.dumps(schema), "max_output_tokens": 500})
    answer = json.loads(result.text)
    assert set(answer) == {"ok", "size"}
    assert isinstance(answer["ok"], bool)
    assert answer["size"] in ("small", "large")
    assert result.outputs[0].started.media_type == "application/json"
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_STOP


@pytest.mark.parametrize("text", [{"json_schema": "{}"}, {}])
async def test_any_json_object_can_be_asked_for(model, text):
    wanted = [] if text else ["application/json"]
    result = await model.transform("hello", seed=3, output_media_types=wanted, text=text | {"max_output_tokens": 1000})
    assert isinstance(json.loads(result.text), dict)


@pytest.mark.parametrize("schema", ["{", "[1]", '{"type": "nonsense"}', '{"$ref": "#/nowhere"}'])
async def test_a_schema_that_is_none_is_refused(model, schema):
    with pytest.raises(InvalidRequestError) as caught:
        await model.transform("hello", text={"json_schema": schema})
    assert caught.value.reason is Reason.INPUT_INVALID
    assert [found.field for found in caught.value.fields] == ["options.text.json_schema"]


async def test_log_probabilities_come_with_their_tokens(model):
    events = [event async for event in model.stream("hello", text=few(top_logprobs=3, temperature=1))]
    tokens = [token for event in events if isinstance(event, TextDelta) for token in event.logprobs]
    assert b"".join(token.token for token in tokens).decode() == "".join(event.text for event in events)
    assert len(tokens) == 20
    assert all(token.logprob <= 0 and len(token.alternatives) == 3 for token in tokens)


async def test_system_and_earlier_turns_are_part_of_the_prompt(model):
    alone = await model.transform("hello", text=few(temperature=0))
    framed = await model.transform("hello", system="cow milk field barn", text=few(temperature=0))
    longer = await model.transform([user("moo"), assistant("grass"), user("hello")], text=few(temperature=0))

    def read(result):
        return result.usage.units["input-token"] + result.usage.units["cached-input-token"]

    assert read(alone) < read(longer)
    assert read(alone) + 4 < read(framed)


async def test_a_conversation_goes_on(model):
    chat = model.conversation(text=few())
    first = await chat.send("hello")
    second = await chat.send("and then")
    assert second.usage.units.get("cached-input-token", 0) >= first.usage.units["output-token"]


async def test_what_does_not_fit_is_refused_with_both_numbers(model):
    with pytest.raises(InvalidRequestError) as caught:
        await model.transform("the cow " * 2000)
    assert caught.value.reason is Reason.CONTEXT_TOO_LONG
    assert caught.value.metadata["limit"] == "2048"
    assert int(caught.value.metadata["actual"]) > 4000


async def test_an_answer_that_fills_the_context_ends_for_its_length(model):
    result = await model.transform("hello")
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_LENGTH
    assert 1900 < result.usage.units["output-token"] < 2048


async def test_a_long_prompt_shows_how_far_it_is(model):
    events = [event async for event in model.stream("the cow " * 900, text=few()) if isinstance(event, Progress)]
    assert [event.stage for event in events][:1] == ["prompt"]


async def test_one_more_than_fit_waits_its_turn_while_health_answers(served, model):
    first = start(model.transform("hello"), name="first")
    second = start(model.transform("hello", text=few()), name="second")
    healthy = 0
    while not (first.done() and second.done()):
        healthy += await served.client.health()
    assert healthy > 10
    assert first.result().text
    assert second.result().text


async def test_leaving_the_loop_frees_the_engine(model):
    async for event in model.stream("hello"):
        if event.text:
            break
    # Only one place: this would wait for the whole context otherwise.
    assert (await model.transform("hello", text=few())).text


async def test_a_batch_is_embedded_item_by_item(model):
    items = [user("the cow"), user("moo grass"), user("the cow")]
    result = await model.transform(items, capability="text-to-embedding")
    assert [vector.input for vector in result.embeddings] == [0, 1, 2]
    first, second, third = (list(vector.values) for vector in result.embeddings)
    assert len(first) == tiny_gguf.WIDTH
    assert math.isclose(sum(value * value for value in first), 1, rel_tol=1e-3)
    assert first == pytest.approx(third, abs=1e-4)
    assert first != pytest.approx(second, abs=1e-2)
    assert result.usage.units == {"input-token": 15}


async def test_an_item_too_long_to_embed_is_refused_with_both_numbers(model):
    with pytest.raises(InvalidRequestError) as caught:
        await model.transform("the cow " * 500, capability="text-to-embedding")
    assert caught.value.reason is Reason.CONTEXT_TOO_LONG
    assert caught.value.metadata["limit"] == "512"


async def test_a_tool_is_called(tmp_path):
    path = tiny_gguf.write(tmp_path / "caller.gguf", says=[tiny_gguf.CALL])
    async with serve(LlamaCpp(), settings={"model_path": str(path)}) as served:
        model, text = served.model("caller"), {"tools": [WEATHER], "max_output_tokens": 400}
        result = await model.transform("hello", seed=1, text=text | {"tool_choice": "TOOL_CHOICE_REQUIRED"})
        call = result.tool_calls[0]
        assert call.name == "weather"
        assert json.loads(call.arguments)["city"] in ("Rome", "Oslo")
        assert call.id


async def test_calls_of_tools_and_their_results_are_part_of_the_prompt(model):
    asked = Turn(role=Role.ROLE_ASSISTANT, parts=[Part(tool_call=ToolCall(id="1", name="weather", arguments="{}"))])
    answer = Turn(role=Role.ROLE_TOOL, parts=[Part(tool_result=ToolResult(call_id="1", parts=[Part(text="sunny")]))])
    before = await model.transform("hello", text=few(tools=[WEATHER]))
    after = await model.transform([user("hello"), asked, answer], text=few(tools=[WEATHER]))
    read = [sum(count for unit, count in r.usage.units.items() if "input" in unit) for r in (before, after)]
    assert read[0] + 20 < read[1]


async def test_models_are_those_configured_last(served, tmp_path):
    other = tiny_gguf.write(tmp_path / "other.gguf", seed=7)
    (before,) = await served.client.models()
    assert (before.context_tokens, before.state) == (2048, ModelState.MODEL_STATE_LOADED)
    await served.client.provider("llamacpp").configure({"models": {"a": str(other), "b/c": str(other)}})
    names = sorted(model.name for model in await served.client.models())
    assert names == ["providers/llamacpp/models/a", "providers/llamacpp/models/b/c"]
    assert (await served.model("b/c").transform("hello", text=few())).text
    with pytest.raises(MediaConduitError) as caught:
        await served.model("tiny").transform("hello")
    assert caught.value.reason is Reason.MODEL_NOT_FOUND


async def test_a_configuration_that_fails_leaves_the_one_before(served, model):
    with pytest.raises(InvalidRequestError) as caught:
        await served.client.provider("llamacpp").configure({"model_path": "/nowhere/at/all.gguf"})
    assert [found.field for found in caught.value.fields] == ["settings.model_path"]
    assert (await model.transform("hello", text=few())).text


async def test_a_call_under_way_outlives_a_new_configuration(served, model, tmp_path):
    other = tiny_gguf.write(tmp_path / "other.gguf")
    running = asyncio.Event()

    async def read():
        count = 0
        async for event in model.stream("hello"):
            count += bool(event.text)
            running.set()
        return count

    reading = start(read(), name="reading")
    await running.wait()
    await served.client.provider("llamacpp").configure({"model_path": str(other)})
    assert await reading


async def test_without_a_path_it_is_healthy_and_says_what_is_missing():
    async with serve(LlamaCpp()) as served:
        assert await served.client.health("mediaconduit.v1.MediaProvider")
        assert await served.client.models() == []
        with pytest.raises(MediaConduitError) as caught:
            await served.model("any").transform("hello")
        assert "model_path" in caught.value.hint
