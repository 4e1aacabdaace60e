"""Secrets from the broker's sources to a sidecar, and nowhere else."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToJson
from mediaconduit.client import Client
from mediaconduit.errors import MediaConduitError, PreconditionError, Reason
from mediaconduit_broker.config import ProviderConfig, SecretsConfig
from mediaconduit_broker.server import Broker

from tests.support.brokers import load

from .conftest import Start

TOKEN = "sk-Token/of+the-broker-0123456789"
OTHER = "the-other-one"
BOTH = {"KEYS_TOKEN": TOKEN, "KEYS_OTHER": OTHER}


async def ask(client: Client, model: str) -> Any:
    return json.loads((await client.model(f"keys/{model}").transform("hi")).text)


async def fails(client: Client, model: str) -> MediaConduitError:
    with pytest.raises(MediaConduitError) as raised:
        await client.model(f"keys/{model}").transform("hi")
    return raised.value


async def log_of(client: Client, until: str) -> list[str]:
    async for news in client.broker.tail_logs("keys", lines=2000, follow=True):
        texts = [line.text for line in news.lines]
        if any(until in text for text in texts):
            return [line.text for line in (await anext(aiter(client.broker.tail_logs("keys", lines=2000)))).lines]
    raise AssertionError("the log ended")


def pid_of(served: Broker) -> int:
    instance = served.registry.get("keys").instance
    assert instance is not None
    return instance.sidecar.pid  # type: ignore[attr-defined, no-any-return]


def files_below(folder: Path) -> Iterator[bytes]:
    for path in folder.rglob("*"):
        if path.is_file() and "environments" not in path.parts:
            yield path.read_bytes()


async def test_the_key_is_there_for_all_of_authors_code_and_not_in_the_environment_of_its_process(start: Start) -> None:
    async with start(BOTH) as (served, client):
        await load(client, "./keys")
        assert await ask(client, "seen") == dict.fromkeys(("import", "construct", "setup", "call"), len(TOKEN))
        environ = Path(f"/proc/{pid_of(served)}/environ").read_bytes()
        assert b"MEDIACONDUIT_SECRETS=KEYS_TOKEN,KEYS_OTHER" in environ
        assert TOKEN.encode() not in environ and OTHER.encode() not in environ


async def test_it_is_the_same_after_a_crash_and_after_a_refresh(start: Start) -> None:
    async with start(BOTH) as (served, client):
        await load(client, "./keys")
        before = pid_of(served)
        os.kill(before, 9)
        assert (await ask(client, "seen"))["import"] == len(TOKEN)
        async for _ in client.broker.refresh("keys"):
            pass
        assert pid_of(served) != before
        assert (await ask(client, "seen"))["import"] == len(TOKEN)


async def test_a_changed_file_is_picked_up_at_the_next_start(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    (folder / "KEYS_TOKEN").write_text("first\n")
    (folder / "KEYS_OTHER").write_text("x")
    async with start({}, SecretsConfig(folder=str(folder))) as (_, client):
        await load(client, "./keys")
        assert (await ask(client, "seen"))["call"] == len("first")
        (folder / "KEYS_TOKEN").write_text("second one\n")
        async for _ in client.broker.refresh("keys"):
            pass
        assert (await ask(client, "seen"))["call"] == len("second one")
        found = await client.broker.get("keys")
        assert [(s.name, s.present, s.source) for s in found.secrets] == [
            ("KEYS_TOKEN", True, "folder"),
            ("KEYS_OTHER", True, "folder"),
        ]
        assert "the value of KEYS_OTHER is too short to be kept out of logs" in found.warnings


async def test_a_missing_key_fails_calls_and_says_where_to_put_it(start: Start, tmp_path: Path) -> None:
    async with start({"KEYS_TOKEN": TOKEN}, SecretsConfig(folder=str(tmp_path / "keys"))) as (_, client):
        await load(client, "./keys")
        assert await client.models(), "it is there all the same"
        error = await fails(client, "seen")
        assert (error.code, error.reason) == ("FAILED_PRECONDITION", Reason.CREDENTIALS_MISSING)
        assert error.metadata["variable"] == "KEYS_OTHER"
        for place in ("KEYS_OTHER=", "in a file KEYS_OTHER", "mediaconduit provider refresh keys"):
            assert place in error.hint
        assert str(tmp_path) not in str(error)
        found = await client.broker.get("keys")
        assert [(s.name, s.present, s.source) for s in found.secrets] == [
            ("KEYS_TOKEN", True, "environment"),
            ("KEYS_OTHER", False, ""),
        ]
        (tmp_path / "keys").mkdir()
        (tmp_path / "keys" / "KEYS_OTHER").write_text(OTHER)
        async for _ in client.broker.refresh("keys"):
            pass
        assert await ask(client, "seen")


async def test_code_that_does_not_load_without_its_key_says_which_is_missing(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "strict"
    folder.mkdir()
    (folder / "MediaConduit.provider.yml").write_text(
        "id: strict\nentry: strict_provider:Mine\nsecrets: [STRICT_KEY]\n"
    )
    (folder / "strict_provider.py").write_text("import os\nKEY = os.environ['STRICT_KEY']\n")
    async with start() as (_, client):
        with pytest.raises(PreconditionError) as raised:
            await load(client, str(folder))
        assert (raised.value.reason, raised.value.metadata["variable"]) == (Reason.CREDENTIALS_MISSING, "STRICT_KEY")


async def test_what_the_author_writes_carelessly_is_redacted(start: Start) -> None:
    async with start(BOTH) as (_, client):
        await load(client, "./keys", settings={"api_key": "setting-that-is-secret", "region": "here"})
        await client.model("keys/logs").transform("hi")
        lines = await log_of(client, "end of log")
        for line in ("imported with ***", "plain ***", "halves ***"):
            assert line in lines
        assert any(line.endswith("setting ***") and "Bearer ***" in line for line in lines)
        text = "\n".join(lines)
        assert "setting-that-is-secret" not in text
        assert not any(TOKEN[i : i + 5] in text for i in range(len(TOKEN) - 4)), "not even a part of it"


async def test_errors_of_authors_lose_the_key_too(start: Start) -> None:
    async with start(BOTH) as (_, client):
        await load(client, "./keys")
        error = await fails(client, "fails")
        assert (error.message, error.hint) == ("the vendor says: bad key ***", "not ***")
        assert TOKEN not in str(await fails(client, "boom"))
        assert any("bad key ***" in line for line in await log_of(client, "RuntimeError"))
        with pytest.raises(MediaConduitError, match=r"no region for \*\*\*"):
            await client.provider("keys").configure({"region": "nowhere"})


async def test_no_answer_and_no_file_of_the_broker_holds_a_secret(
    start: Start, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with start(BOTH) as (_, client):
        await load(client, "./keys", settings={"api_key": "setting-that-is-secret", "region": "here"})
        await fails(client, "boom")
        answers = [await client.broker.get("keys"), *await client.broker.list(), *await client.models()]
        shown = "".join(MessageToJson(answer) for answer in answers) + repr(answers)
        files = list(files_below(tmp_path / "state"))
        assert any(b'"region": "here"' in content for content in files), "the rest is remembered"
        for value in (TOKEN, OTHER, "setting-that-is-secret"):
            assert value not in shown
            assert not any(value.encode() in content for content in files)
        assert any("api_key is secret and is not kept" in warning for warning in answers[0].warnings)
    out, err = capfd.readouterr()
    assert not any(value in out + err for value in (TOKEN, OTHER, "setting-that-is-secret"))


async def test_a_setting_that_stands_for_a_secret_outlives_the_broker(start: Start, tmp_path: Path) -> None:
    environ = {**BOTH, "STORED": "from the store"}
    async with start(environ) as (_, client):
        await load(client, "./keys", settings={"api_key": "secret:STORED"})
        assert await ask(client, "settings") == {"api_key": len("from the store")}
        assert not any(b"from the store" in content for content in files_below(tmp_path / "state"))
        assert "STORED" in [secret.name for secret in (await client.broker.get("keys")).secrets]
    async with start(environ) as (served, client):
        with served.registry.changes() as changes:
            while not served.registry.all():
                await changes.get()
        await served.registry.get("keys").ready()
        assert await ask(client, "settings") == {"api_key": len("from the store")}


async def test_a_reference_to_a_secret_that_is_nowhere_fails_calls(start: Start) -> None:
    async with start(BOTH) as (_, client):
        await load(client, "./keys", settings={"api_key": "secret:STORED"})
        error = await fails(client, "settings")
        assert (error.reason, error.metadata["variable"]) == (Reason.CREDENTIALS_MISSING, "STORED")
        await client.provider("keys").configure({"api_key": "one that is there"})
        assert await ask(client, "settings") == {"api_key": len("one that is there")}
        with pytest.raises(MediaConduitError, match="no region"):
            await client.provider("keys").configure({"api_key": "secret:STORED", "region": "nowhere"})
        assert await ask(client, "settings"), "settings that were refused change nothing"


async def test_a_command_gives_the_keys_of_a_provider_from_the_config(start: Start, tmp_path: Path) -> None:
    (tmp_path / "vault").write_text('#!/bin/sh\necho "$VAULT_PREFIX-$1"\n')
    (tmp_path / "vault").chmod(0o700)
    secrets = SecretsConfig(command=[str(tmp_path / "vault"), "{name}"])
    async with start({"VAULT_PREFIX": "v"}, secrets, providers={"keys": ProviderConfig(source="./keys")}) as (
        served,
        client,
    ):
        await served.registry.load("./keys", "keys")
        assert (await ask(client, "seen"))["import"] == len("v-KEYS_TOKEN")


async def test_the_operator_gives_another_key_or_none(start: Start) -> None:
    wanted = ProviderConfig(source="./keys", secrets={"KEYS_TOKEN": "TEAM_B", "KEYS_OTHER": ""})
    async with start({**BOTH, "TEAM_B": "of team b"}, providers={"keys": wanted}) as (served, client):
        await served.registry.load("./keys", "keys")
        assert (await ask(client, "seen"))["import"] == len("of team b")
        assert "KEYS_OTHER" not in await ask(client, "environ")
        assert [secret.name for secret in (await client.broker.get("keys")).secrets] == ["KEYS_TOKEN"]


async def test_callers_cannot_hand_secrets_to_a_broker(start: Start) -> None:
    from mediaconduit.v1.provider_pb2 import ConfigureRequest

    async with start(BOTH) as (_, client):
        await load(client, "./keys")
        request = ConfigureRequest(provider="providers/keys", secrets={"KEYS_TOKEN": "mine"})
        with pytest.raises(Exception, match="takes none from callers"):
            await client._wire.provider.Configure(request)


async def test_a_sidecar_gets_declared_variables_and_no_others(start: Start) -> None:
    markers = {f"MARKER_{number}": "x" for number in range(5)} | {"UV_PUBLISH_TOKEN": "x", "MEDIACONDUIT_API_KEY": "x"}
    async with start({**BOTH, **markers, "KEYS_PLAIN": "plain"}) as (served, client):
        await load(client, "./keys")
        started = Path(f"/proc/{pid_of(served)}/environ").read_bytes().split(b"\0")
        names = {entry.split(b"=")[0].decode() for entry in started if entry}
        assert "KEYS_PLAIN" in names
        assert not names & {*markers, "KEYS_TOKEN", "KEYS_OTHER"}
        own = {name for name in names if name.startswith(("MEDIACONDUIT_", "PYTHON", "GRPC_"))}
        assert names - own <= {
            "PATH",
            "HOME",
            "PWD",
            "TMPDIR",
            "KEYS_PLAIN",
            "LANG",
            "LC_ALL",
            "TZ",
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
        }
        inside = set(await ask(client, "environ"))
        assert inside - names <= {"KEYS_TOKEN", "KEYS_OTHER", "LC_CTYPE"}
