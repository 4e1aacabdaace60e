"""Work in the background: what is submitted once is followed, resumed, cancelled, and never submitted again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any, ClassVar

import pytest
from mediaconduit.errors import InternalError, PreconditionError, Reason, UnavailableError
from mediaconduit.events import Checkpoint, Progress
from mediaconduit.tasks import cancel_and_join, start
from mediaconduit_provider import Call, Model
from mediaconduit_provider.outputs import Yielded
from mediaconduit_provider.testing import Served, serve
from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.jobs import Job, Look
from mediaconduit_vendors.provider import VendorModel, VendorProvider
from mediaconduit_vendors.testing import Upstream, failure, json_reply
from mediaconduit_vendors.vendor import Vendor

SUBMIT, LOOK, CANCEL = "POST /jobs", "GET /jobs/7", "DELETE /jobs/7"
DONE = json_reply({"state": "done", "text": "ready"})


class Work(Job):
    async def submit(self, api: Api, call: Call) -> str:
        answer, _ = await api.json(Request("POST", "/jobs", json={"prompt": call.text}))
        return str(answer["id"])

    async def look(self, api: Api, call: Call, job_id: str) -> Look:
        answer, _ = await api.json(Request("GET", f"/jobs/{job_id}"))
        if answer["state"] == "failed":
            raise InternalError("it failed", reason=Reason.VENDOR_PROTOCOL)
        return Look(answer["state"] == "done", answer, answer.get("share"), answer["state"])

    async def deliver(self, api: Api, call: Call, look: Look) -> AsyncGenerator[Yielded, None]:
        yield look.answer["text"]

    async def cancel(self, api: Api, job_id: str) -> None:
        await api.json(Request("DELETE", f"/jobs/{job_id}"))


class Acme(VendorProvider):
    vendor: ClassVar[Vendor] = Vendor("acme", "Acme", "https://acme.example", key_required=False)

    def known_models(self) -> Sequence[VendorModel]:
        return [VendorModel("m", ("text-to-text",), operations={"text-to-text": Work()})]

    async def discover(self, api: Api) -> Sequence[VendorModel]:
        return self.known_models()

    async def find_model(self, model_id: str) -> Model | None:
        return self.known_models()[0] if model_id == "m" else None


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with Upstream({SUBMIT: json_reply({"id": 7}), CANCEL: json_reply({})}) as upstream:
        yield upstream


@pytest.fixture
async def served(upstream: Upstream) -> AsyncIterator[Served]:
    async with serve(Acme(), settings={"base_url": upstream.url, "poll_interval": 0.01, "attempts": 1}) as served:
        yield served


def running(share: float) -> Any:
    return json_reply({"state": "running", "share": share})


def asked(upstream: Upstream) -> list[str]:
    return [f"{request.method} {request.path}" for request in upstream.requests]


async def test_a_job_is_followed_to_its_end(upstream: Upstream, served: Served) -> None:
    upstream.route(LOOK, [running(0.1), running(0.5), running(0.5), DONE])
    events = [event async for event in served.model("m").stream("go")]
    assert [event.fraction for event in events if isinstance(event, Progress)] == [0.1, 0.5]
    assert "".join(event.text for event in events) == "ready"
    assert asked(upstream) == [SUBMIT, LOOK, LOOK, LOOK, LOOK]


async def test_a_checkpoint_comes_before_anything_else_and_resumes(upstream: Upstream, served: Served) -> None:
    upstream.route(LOOK, [running(0.1), DONE])
    first = [event async for event in served.model("m").stream("go")][1]
    assert isinstance(first, Checkpoint)
    result = await served.model("m").transform("go", resume_token=first.resume_token)
    assert result.text == "ready"
    assert asked(upstream) == [SUBMIT, LOOK, LOOK, LOOK]


async def test_a_token_of_another_vendor_is_refused(upstream: Upstream, served: Served) -> None:
    with pytest.raises(PreconditionError) as failed:
        await served.model("m").transform("go", resume_token=b'{"vendor": "other"}')
    assert failed.value.reason is Reason.RESUME_REJECTED
    assert asked(upstream) == []


async def test_a_caller_that_leaves_ends_the_job_at_the_vendor(upstream: Upstream, served: Served) -> None:
    upstream.route(LOOK, running(0.1))
    begun = asyncio.Event()

    async def follow() -> None:
        async for event in served.model("m").stream("go"):
            if isinstance(event, Progress):
                begun.set()

    caller = start(follow(), name="caller")
    await begun.wait()
    await cancel_and_join(caller)
    number = 0
    while (await upstream.request(number)).method != "DELETE":
        number += 1
    assert asked(upstream).count(SUBMIT) == 1


async def test_a_vendor_that_stumbles_is_asked_again(upstream: Upstream, served: Served) -> None:
    upstream.route(LOOK, [running(0.1), failure(503, {}), failure(503, {}), DONE])
    assert (await served.model("m").transform("go")).text == "ready"


async def test_a_vendor_that_stays_down_is_given_up(upstream: Upstream, served: Served) -> None:
    upstream.route(LOOK, failure(503, {}))
    with pytest.raises(UnavailableError):
        await served.model("m").transform("go")
    assert asked(upstream).count(SUBMIT) == 1


async def test_a_job_that_fails_says_so(upstream: Upstream, served: Served) -> None:
    upstream.route(LOOK, json_reply({"state": "failed"}))
    with pytest.raises(InternalError) as failed:
        await served.model("m").transform("go")
    assert failed.value.reason is Reason.VENDOR_PROTOCOL
