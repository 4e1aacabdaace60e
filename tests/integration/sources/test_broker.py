"""Repositories as a broker's callers see them: loaded, running, refreshed under load, back after a restart."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mediaconduit.channels import open_channel
from mediaconduit.client import Client
from mediaconduit.errors import InvalidRequestError, NotFoundError, PreconditionError, Reason
from mediaconduit_broker.config import Limits, SourcesConfig, TrustConfig
from mediaconduit_broker.server import Broker
from structlog.testing import capture_logs

from tests.support.brokers import GOOD, broker, load, write_provider
from tests.support.git_server import PASSWORD, GitServer, Repository

RATE = 200.0
"""Calls a second across a refresh."""


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def repository(server: GitServer) -> Repository:
    """github:o/r, whose provider says "one"."""
    made = server.repository("o/r")
    write_provider(made.folder, GOOD)
    made.commit()
    return made


def say(repository: Repository, word: str) -> str:
    return repository.commit({"mine_provider.py": GOOD.replace('"one"', f'"{word}"')})


def reaching(server: GitServer, state: Path, environments: Path) -> AbstractAsyncContextManager[tuple[Broker, Client]]:
    """A broker that trusts github:o/r and finds it on the test's server."""
    return broker(
        state,
        environments,
        sources=SourcesConfig(rewrite={"https://github.com/": f"{server.url}/"}),
        trust=TrustConfig(allow=["github:o/r"]),
        # On a machine too busy for the pace calls wait: what is tested is that none is lost.
        limits=Limits(queue_length=10_000),
    )


@pytest.fixture
async def served(server: GitServer, tmp_path: Path, environments: Path) -> AsyncIterator[tuple[Broker, Client]]:
    async with reaching(server, tmp_path / "state", environments) as made:
        yield made


@pytest.fixture
def client(served: tuple[Broker, Client]) -> Client:
    return served[1]


async def answer(client: Client) -> str:
    return (await client.model("mine/default").transform("x")).text


async def test_a_repository_loads_and_tells_that_it_is_fetched(client: Client, repository: Repository) -> None:
    messages = await load(client, "github:o/r")
    assert (messages[0], messages[-1]) == ("fetching", "ready")
    (provider,) = await client.broker.list()
    assert (provider.source, provider.resolved_source) == (
        "github:o/r",
        f"github:o/r@{repository.git('rev-parse', 'HEAD')}",
    )
    assert await answer(client) == "one"


async def test_concurrent_loads_of_one_repository_fetch_it_once_and_start_one_sidecar(
    client: Client, server: GitServer, repository: Repository
) -> None:
    loads = await asyncio.gather(*(load(client, "github:o/r") for _ in range(8)))
    assert all(messages[-1] == "ready" for messages in loads)
    (provider,) = await client.broker.list()
    assert (provider.start_count, server.fetches) == (1, ["o/r.git"])


async def test_refresh_at_200_calls_a_second_loses_none_and_both_versions_answer(
    served: tuple[Broker, Client], repository: Repository
) -> None:
    broker_, client = served
    await load(client, "github:o/r")
    old = broker_.registry.get("mine").instance
    assert old is not None
    new = say(repository, "two")
    answers, failures = Counter[str](), list[BaseException]()
    model = client.model("mine/default")
    both = {word: asyncio.Event() for word in ("one", "two")}

    async def call() -> None:
        try:
            text = (await model.transform("x")).text
        except Exception as error:
            failures.append(error)
        else:
            answers[text] += 1
            if answers[text] >= 100:
                both[text].set()

    async def keep_calling() -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        async with asyncio.TaskGroup() as calls:
            while not both["two"].is_set():
                calls.create_task(call())
                due += 1 / RATE
                await asyncio.sleep(max(0.0, due - loop.time()))  # the pace that is asked for, not synchronisation

    unhealthy = set[str]()

    async def keep_watching() -> None:
        async for change in client.broker.watch():
            if change.provider.name and not change.provider.serving:
                unhealthy.add(change.provider.state_reason or str(change.provider.state))

    calling, watching = asyncio.ensure_future(keep_calling()), asyncio.ensure_future(keep_watching())
    await both["one"].wait()
    messages = [step.message async for step in client.broker.refresh("mine")]
    assert "fetching" in messages
    await calling
    await old.sidecar.wait()
    assert await answer(client) == "two"
    watching.cancel()
    await asyncio.wait([watching])
    assert failures == []
    assert unhealthy == set(), "to callers it has served all the time"
    async with open_channel(broker_.address) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        checked = await health.Check(health_pb2.HealthCheckRequest(service="providers/mine"))
    assert checked.status == health_pb2.HealthCheckResponse.SERVING
    assert set(answers) == {"one", "two"}
    (provider,) = await client.broker.list()
    assert provider.resolved_source == f"github:o/r@{new}"


async def test_a_version_that_does_not_come_up_leaves_the_old_one(client: Client, repository: Repository) -> None:
    await load(client, "github:o/r")
    before = (await client.broker.list())[0].resolved_source
    repository.commit({"mine_provider.py": "import nothing_like_this\n"})
    with pytest.raises(Exception, match="does not load"):
        async for _ in client.broker.refresh("mine"):
            pass
    assert await answer(client) == "one"
    assert (await client.broker.list())[0].resolved_source == before


async def test_a_load_of_what_failed_takes_the_mended_commit(client: Client, repository: Repository) -> None:
    repository.commit({"mine_provider.py": "import nothing_like_this\n"})
    with pytest.raises(Exception, match="does not load"):
        await load(client, "github:o/r")
    say(repository, "mended")
    await load(client, "github:o/r")
    assert await answer(client) == "mended"


async def test_a_restart_brings_the_same_commit_back_without_any_network(
    server: GitServer, repository: Repository, tmp_path: Path, environments: Path
) -> None:
    async with reaching(server, tmp_path / "state", environments) as (_, client):
        await load(client, "github:o/r")
        resolved = (await client.broker.list())[0].resolved_source
    say(repository, "two")
    server.requests.clear()
    async with reaching(server, tmp_path / "state", environments) as (_, client):
        async for change in client.broker.watch():
            if change.provider.serving:
                break
        assert await answer(client) == "one"
        assert (await client.broker.list())[0].resolved_source == resolved
        assert server.requests == []
        async for _ in client.broker.refresh("mine"):
            pass
        assert await answer(client) == "two"
    async with reaching(server, tmp_path / "state", environments) as (_, client):
        async for change in client.broker.watch():
            if change.provider.serving:
                break
        assert await answer(client) == "two", "what a refresh found is what comes back"


class Audit:
    """Events of the interpreter that mean a process, a socket or a file."""

    def __init__(self) -> None:
        self.events: list[str] | None = None
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.events is not None and event.startswith(("subprocess.", "os.", "socket.", "open", "shutil.", "pty.")):
            self.events.append(f"{event} {arguments!r:.120}")


@pytest.fixture(scope="session")
def audit() -> Audit:
    return Audit()


async def test_a_running_provider_loads_again_without_process_socket_or_file(
    served: tuple[Broker, Client], server: GitServer, repository: Repository, audit: Audit
) -> None:
    broker_, client = served
    await load(client, "github:o/r")
    server.requests.clear()
    audit.events = []
    try:
        supervisor = await broker_.registry.load("github:o/r")
        assert await load(client, "github:o/r") == ["running"]
        heard, audit.events = audit.events, []
        Path("/dev/null").read_bytes()
        assert audit.events, "the hook hears"
    finally:
        audit.events = None
    assert heard == []
    assert supervisor.start_count == 1
    assert server.requests == []


async def test_a_missing_ref_reaches_the_caller_with_suggestions(client: Client, repository: Repository) -> None:
    repository.tag("v1.0")
    with pytest.raises(NotFoundError) as caught:
        await load(client, "github:o/r@v1.1")
    assert (caught.value.reason, caught.value.metadata["suggestions"]) == (Reason.SOURCE_NOT_FOUND, "v1.0")
    assert await client.broker.list() == []


async def test_credentials_in_a_url_are_refused_and_are_nowhere(client: Client, tmp_path: Path) -> None:
    with capture_logs() as logs, pytest.raises(InvalidRequestError) as caught:
        await load(client, "https://someone:s3cret@git.example.org/o/r")
    assert "s3cret" not in str(caught.value) + repr(caught.value.metadata) + repr(caught.value.fields) + repr(logs)
    assert not [path for path in (tmp_path / "state").rglob("*.json") if "s3cret" in path.read_text()]


async def test_a_private_repository_loads_with_a_token_from_the_secret_store(
    server: GitServer, tmp_path: Path, environments: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = server.repository("private/r")
    write_provider(private.folder, GOOD)
    private.commit()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("TOKEN_OF_THE_TEST", PASSWORD)
    reached = SourcesConfig(
        rewrite={"https://github.com/": f"{server.url}/"}, tokens={f"{server.url}/private/": "TOKEN_OF_THE_TEST"}
    )
    trust = TrustConfig(allow=["github:private/r"])
    async with broker(tmp_path / "state", environments, sources=reached, trust=trust) as (_, client):
        await load(client, "github:private/r")
        assert await answer(client) == "one"
    monkeypatch.delenv("TOKEN_OF_THE_TEST")
    async with broker(tmp_path / "other", environments, sources=reached, trust=trust) as (_, client):
        with pytest.raises(PreconditionError) as caught:
            await load(client, "github:private/r")
        assert caught.value.reason is Reason.CREDENTIALS_MISSING
        assert "[sources.tokens]" in caught.value.hint
