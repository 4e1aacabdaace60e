"""Calls through the broker to a real sidecar."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import grpc
import pytest
from mediaconduit import connect
from mediaconduit.client import Client
from mediaconduit.errors import CallTimeoutError, InvalidRequestError, NotFoundError, PreconditionError, Reason
from mediaconduit.v1 import provider_pb2, provider_pb2_grpc
from mediaconduit.v1.transform_pb2 import TransformRequest

from tests.support.brokers import broker, load


async def test_text_streams_through_and_names_what_made_it(faulty: Client) -> None:
    result = await faulty.model("faulty/echo").transform("one two")

    assert result.text == "one two "
    assert result.model == "providers/faulty/models/echo"
    assert result.generation.startswith("generations/")
    assert result.provenance.source.startswith("file:faulty@")


@pytest.mark.parametrize("name", ["faulty/echo", "providers/faulty/models/echo", "echo", "mirror"])
async def test_a_model_goes_by_several_names(tmp_path: Path, environments: Path, name: str) -> None:
    async with broker(tmp_path / "state", environments, aliases={"mirror": "faulty/echo"}) as (_, client):
        await load(client, "./faulty")
        assert (await client.model(name).transform("x")).text == "x "


async def test_a_capability_alone_finds_a_model(faulty: Client) -> None:
    result = await faulty.model("").transform("x", capability="text-to-text")
    assert result.model.startswith("providers/faulty/models/")


async def test_models_of_all_providers_are_listed_in_pages(faulty: Client, channel: grpc.aio.Channel) -> None:
    await load(faulty, "./shapes")
    names = [model.name for model in await faulty.models()]
    assert {"providers/faulty/models/echo", "providers/shapes/models/chat"} <= set(names)
    stub = provider_pb2_grpc.MediaProviderStub(channel)
    page = await stub.ListModels(provider_pb2.ListModelsRequest(page_size=3))
    assert ([model.name for model in page.models], page.next_page_token) == (names[:3], "3")
    embedding = [model.name for model in await faulty.models(capability="text-to-embedding")]
    assert embedding == ["providers/shapes/models/embed"]


async def test_leaving_the_loop_cancels_the_work_in_the_sidecar(faulty: Client) -> None:
    async with faulty.model("faulty/endless").stream("x") as stream:
        async for event in stream:
            if event.text:
                break
    async with asyncio.timeout(10):
        while (await faulty.model("faulty/runs").transform("x")).text.rpartition(" ")[2] != "1":
            pass


async def test_a_deadline_travels_and_frees_the_place(faulty: Client) -> None:
    with pytest.raises(CallTimeoutError) as caught:
        await faulty.model("faulty/endless").transform("x", timeout=0.3)
    assert caught.value.reason is Reason.DEADLINE_EXCEEDED
    assert (await faulty.model("faulty/echo").transform("still here")).text == "still here "


async def test_a_repeated_request_id_attaches_to_the_running_call_and_one_run_is_counted(faulty: Client) -> None:
    model, request_id = faulty.model("faulty/runs"), str(uuid.uuid4())
    both = await asyncio.gather(*(model.transform("x", request_id=request_id) for _ in range(2)))
    later = await model.transform("x", request_id=request_id)

    assert {result.text.split(",")[0] for result in (*both, later)} == {"run 1"}
    assert both[0].generation == both[1].generation == f"generations/{request_id}"
    (provider,) = await faulty.broker.list()
    assert provider.call_count == 1


async def test_a_request_id_with_another_content_is_refused(faulty: Client) -> None:
    request_id = str(uuid.uuid4())
    await faulty.model("faulty/echo").transform("x", request_id=request_id)
    with pytest.raises(InvalidRequestError) as caught:
        await faulty.model("faulty/echo").transform("y", request_id=request_id)
    assert caught.value.reason is Reason.REQUEST_ID_REUSED


async def test_an_author_who_yields_without_pause_sends_few_large_messages(channel: grpc.aio.Channel) -> None:
    stub = provider_pb2_grpc.MediaProviderStub(channel)
    request = TransformRequest(model="faulty/backlog")
    request.turns.add().parts.add(text="20000")
    messages = [response async for response in stub.Transform(request)]

    text = "".join(event.output_delta.text for message in messages for event in message.events)
    assert text.split() == [str(number) for number in range(20000)]
    assert len(messages) < 2000


async def test_what_a_caller_pretends_to_be_is_not_believed(channel: grpc.aio.Channel) -> None:
    stub = provider_pb2_grpc.MediaProviderStub(channel)
    request = TransformRequest(model="faulty/echo")
    request.turns.add().parts.add(text="x")
    metadata = (("x-mediaconduit-generation", "generations/forged"), ("x-mediaconduit-source", "forged"))
    events = [event async for message in stub.Transform(request, metadata=metadata) for event in message.events]
    assert "forged" not in events[0].started.generation
    assert events[-1].completed.provenance.source.startswith("file:faulty@")


async def test_health_and_reflection_are_served(faulty: Client, channel: grpc.aio.Channel) -> None:
    from grpc_health.v1 import health_pb2, health_pb2_grpc
    from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

    health = health_pb2_grpc.HealthStub(channel)
    for name in ("", "mediaconduit.v1.MediaProvider", "providers/faulty"):
        answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
    answers = [answer async for answer in stub.ServerReflectionInfo(asked)]
    served = {service.name for service in answers[0].list_services_response.service}
    assert {"mediaconduit.v1.MediaProvider", "mediaconduit.v1.Broker", "grpc.health.v1.Health"} <= served


async def test_optional_services_nobody_has_say_so(faulty: Client) -> None:
    from mediaconduit.errors import UnsupportedError

    with pytest.raises(UnsupportedError) as caught:
        await faulty.provider("faulty").voices()
    assert caught.value.metadata["service"] == "mediaconduit.v1.Voices"


@pytest.mark.parametrize(
    ("model", "options", "error", "reason"),
    [
        ("faulty/eco", {}, NotFoundError, Reason.MODEL_NOT_FOUND),
        ("eco", {}, NotFoundError, Reason.MODEL_NOT_FOUND),
        ("providers/fault/models/echo", {}, NotFoundError, Reason.PROVIDER_NOT_FOUND),
        ("faulty/echo", {"capability": "text-to-video"}, PreconditionError, Reason.CAPABILITY_UNSUPPORTED),
        ("faulty/echo", {"extra": {"level": 3}}, InvalidRequestError, Reason.INPUT_INVALID),
        ("faulty/echo", {"text": {"temperature": 1}}, InvalidRequestError, Reason.INPUT_INVALID),
    ],
)
async def test_wrong_requests_get_typed_errors(
    faulty: Client, model: str, options: dict[str, object], error: type[Exception], reason: Reason
) -> None:
    with pytest.raises(error) as caught:
        await faulty.model(model).transform("x", **options)
    assert caught.value.reason is reason
    assert caught.value.hint or caught.value.fields


async def test_an_option_out_of_range_names_its_path_and_the_range(faulty: Client) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await faulty.model("faulty/picky").transform("x", extra={"level": 12})
    (field,) = caught.value.fields
    assert field.field == "options.extra.level"
    assert "9" in field.description


async def test_an_empty_input_is_refused(faulty: Client) -> None:
    with pytest.raises(InvalidRequestError):
        await faulty.model("faulty/echo").transform("")


async def test_a_client_without_a_broker_says_how_to_start_one() -> None:
    async with connect("127.0.0.1:1") as nobody:
        with pytest.raises(Exception, match="mediaconduit up"):
            await nobody.models()


async def test_a_message_that_is_none_of_ours_is_refused(channel: grpc.aio.Channel) -> None:
    call = channel.unary_stream("/mediaconduit.v1.MediaProvider/Transform")(b"\xff\xff\xff")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
