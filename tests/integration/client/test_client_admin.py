"""What is asked about providers and models, and the broker's own services."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from mediaconduit import Client, connect
from mediaconduit.channels import SERVER_OPTIONS
from mediaconduit.errors import NotFoundError, PreconditionError, Reason, UnsupportedError
from mediaconduit.status import abort
from mediaconduit.v1 import broker_pb2 as b
from mediaconduit.v1 import broker_pb2_grpc, models_pb2, provider_pb2, provider_pb2_grpc


class Broker(broker_pb2_grpc.BrokerServicer, provider_pb2_grpc.MediaProviderServicer):
    """Has one provider, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def ListModels(self, request: Any, context: Any) -> provider_pb2.ListModelsResponse:  # noqa: N802
        self.asked.append(provider_pb2.ListModelsRequest.FromString(request.SerializeToString()))
        first = not request.page_token
        names = ["providers/p/models/a"] if first else ["providers/p/models/b"]
        models = [models_pb2.Model(name=name) for name in names]
        return provider_pb2.ListModelsResponse(models=models, next_page_token="2" if first else "")

    async def GetModel(self, request: Any, context: Any) -> provider_pb2.GetModelResponse:  # noqa: N802
        return provider_pb2.GetModelResponse(model=models_pb2.Model(name=request.name, options_schema="{}"))

    async def Describe(self, request: Any, context: Any) -> provider_pb2.DescribeResponse:  # noqa: N802
        return provider_pb2.DescribeResponse(provider_id=request.provider or "broker")

    async def Configure(self, request: Any, context: Any) -> provider_pb2.ConfigureResponse:  # noqa: N802
        self.asked.append(request)
        return provider_pb2.ConfigureResponse()

    async def LoadProvider(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        self.asked.append(request)
        yield b.LoadProviderResponse(message="building", fraction=0.5)
        if request.source == "file:broken":
            await abort(context, PreconditionError("does not build", reason=Reason.BUILD_FAILED))
        yield b.LoadProviderResponse(provider=b.Provider(name="providers/p", state=b.PROVIDER_STATE_READY))

    async def UnloadProvider(self, request: Any, context: Any) -> b.UnloadProviderResponse:  # noqa: N802
        self.asked.append(request)
        return b.UnloadProviderResponse()

    async def ListProviders(self, request: Any, context: Any) -> b.ListProvidersResponse:  # noqa: N802
        return b.ListProvidersResponse(providers=[b.Provider(name="providers/p")])

    async def TailLogs(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        self.asked.append(request)
        while True:
            yield b.TailLogsResponse(lines=[b.LogLine(text="line")])

    async def ExplainRoute(self, request: Any, context: Any) -> b.ExplainRouteResponse:  # noqa: N802
        return b.ExplainRouteResponse(candidates=[b.RouteCandidate(model=request.request.model, eligible=True)])


@pytest.fixture
async def broker() -> Broker:
    return Broker()


@pytest.fixture
async def admin(broker: Broker, tmp_path: Path) -> AsyncIterator[Client]:
    listening = grpc.aio.server(options=SERVER_OPTIONS)
    provider_pb2_grpc.add_MediaProviderServicer_to_server(broker, listening)
    broker_pb2_grpc.add_BrokerServicer_to_server(broker, listening)
    checks = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, listening)
    await checks.set("providers/p", health_pb2.HealthCheckResponse.NOT_SERVING)
    listening.add_insecure_port(f"unix:{tmp_path}/b")
    await listening.start()
    async with connect(f"unix:{tmp_path}/b") as client:
        yield client
    await listening.stop(0)


async def test_models_come_from_all_pages_and_are_refreshed_once(admin: Client, broker: Broker) -> None:
    models = await admin.provider("p").models("text-to-text", refresh=True)
    assert [model.name for model in models] == ["providers/p/models/a", "providers/p/models/b"]
    assert [(asked.provider, asked.capability, asked.refresh, asked.page_token) for asked in broker.asked] == [
        ("providers/p", "text-to-text", True, ""),
        ("providers/p", "text-to-text", False, "2"),
    ]
    assert len(await admin.models()) == 2


async def test_descriptions(admin: Client) -> None:
    assert (await admin.describe()).provider_id == "broker"
    assert (await admin.provider("p").describe()).provider_id == "providers/p"
    assert (await admin.provider("p").model("x/y").describe()).name == "providers/p/models/x/y"


async def test_settings_keep_large_whole_numbers(admin: Client, broker: Broker) -> None:
    await admin.provider("p").configure({"key": "s", "limits": [1, 2**60]})
    assert dict(broker.asked[0].settings)["limits"][1] == str(2**60)
    assert broker.asked[0].provider == "providers/p"


async def test_a_service_a_server_lacks_is_a_typed_error(admin: Client) -> None:
    with pytest.raises(UnsupportedError):
        await admin.provider("p").voices()


async def test_health(admin: Client) -> None:
    assert await admin.health() is True
    assert await admin.health("providers/p") is False
    with pytest.raises(NotFoundError):
        await admin.health("providers/other")


async def test_loading_gives_steps_and_ends_in_a_typed_error(admin: Client, broker: Broker) -> None:
    steps = [step async for step in admin.broker.load("cowsay", settings={"loud": True})]
    assert [step.message for step in steps] == ["building", ""]
    assert steps[1].provider.state == b.PROVIDER_STATE_READY
    assert dict(broker.asked[0].settings) == {"loud": True}
    broken = admin.broker.load("file:broken")
    assert (await anext(broken)).fraction == 0.5
    with pytest.raises(PreconditionError) as caught:
        await anext(broken)
    assert caught.value.reason is Reason.BUILD_FAILED
    assert not broker.asked[1].HasField("settings")


async def test_providers_are_listed_unloaded_and_explained(admin: Client, broker: Broker) -> None:
    assert [provider.name for provider in await admin.broker.list()] == ["providers/p"]
    await admin.broker.unload("p", drain_timeout=1.5)
    expected = b.UnloadProviderRequest(name="providers/p", drain_timeout=Duration(seconds=1, nanos=500_000_000))
    assert broker.asked == [expected]
    assert [place.model for place in await admin.broker.explain("p/m", "hi", seed=1)] == ["p/m"]


async def test_leaving_the_loop_ends_a_tail(admin: Client) -> None:
    feed = admin.broker.tail_logs("p", lines=5, follow=True)
    async for answer in feed:
        assert answer.lines[0].text == "line"
        break
    assert not feed.running
