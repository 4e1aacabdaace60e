"""Providers from an npm registry, and packages into their environments."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from mediaconduit import MediaConduitError
from mediaconduit.errors import Reason
from mediaconduit_broker.config import TrustConfig

from tests.support.brokers import load
from tests.support.npm_registry import Registry, npm_registry

from .conftest import Start

MANIFEST = "id: cow\nversion: 1.0.0\nruntime: node\nentry: index.mjs\ncapabilities: [text-to-text]\n"
CODE = """
import { Provider } from "@mediaconduit/provider";
import { loud } from "@acme/loud";

export default class Cow extends Provider {
  models = [{ id: "default", capabilities: ["text-to-text"] }];
  *transform(input) {
    yield `${VERSION}: ${loud(input.text)}`;
  }
}
"""
LOUD = "export const loud = (text) => text.toUpperCase();"
TRUST = TrustConfig(allow=["npm:@acme/*"])


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with two versions of a provider, and a package it depends on whose install script leaves a trace."""
    folder = tmp_path_factory.mktemp("npm")
    with npm_registry(folder / "registry") as made:
        fill(made, folder)
        yield made
    assert not (folder / "owned").exists()


def fill(registry: Registry, folder: Path) -> None:
    trap = {"postinstall": f"touch {folder / 'owned'}"}
    registry.publish("@acme/loud", "1.0.0", {"index.mjs": LOUD}, exports="./index.mjs", scripts=trap)
    for version in ("1.0.0", "1.1.0"):
        wanted = {"@acme/loud": "^1.0.0", "@mediaconduit/provider": "^0.1.0"}
        files = {"MediaConduit.provider.yml": MANIFEST, "index.mjs": CODE.replace("VERSION", json.dumps(version))}
        registry.publish("@acme/cow", version, files, dependencies=wanted, scripts=trap)


async def test_a_package_is_loaded_by_version_and_by_tag(start: Start, registry: Registry) -> None:
    async with start(registry.environ, trust=TRUST) as (_, client):
        await load(client, "npm:@acme/cow@1.0.0", provider_id="old")
        await load(client, "@acme/cow", provider_id="new")
        assert (await client.model("old/default").transform("moo")).text == "1.0.0: MOO"
        result = await client.model("new/default").transform("moo")
        assert result.text == "1.1.0: MOO"
        assert result.provenance.source == "npm:@acme/cow@1.1.0"


async def test_what_was_fetched_is_built_again_without_the_registry(start: Start, tmp_path: Path) -> None:
    with npm_registry(tmp_path / "registry") as registry:
        fill(registry, tmp_path)
        async with start(registry.environ, trust=TRUST) as (_, client):
            await load(client, "npm:@acme/cow@1.0.0", provider_id="one")
    async with start(registry.environ, trust=TRUST) as (_, client):
        await load(client, "npm:@acme/cow@1.0.0", provider_id="two")
        assert (await client.model("two/default").transform("moo")).text == "1.0.0: MOO"


async def test_a_version_that_is_not_there_is_said(start: Start, registry: Registry) -> None:
    async with start(registry.environ, trust=TRUST) as (_, client):
        with pytest.raises(MediaConduitError) as failure:
            await load(client, "npm:@acme/cow@9.9.9")
    assert failure.value.reason is Reason.SOURCE_NOT_FOUND


async def test_a_package_of_another_scope_is_not_trusted(start: Start, registry: Registry) -> None:
    async with start(registry.environ, trust=TRUST) as (_, client):
        with pytest.raises(MediaConduitError) as failure:
            await load(client, "npm:@acme-evil/cow")
    assert failure.value.reason is Reason.SOURCE_NOT_TRUSTED


async def test_a_lock_that_leads_elsewhere_is_refused(start: Start, registry: Registry) -> None:
    packages = {
        "": {"dependencies": {"@acme/loud": "^1.0.0"}},
        "node_modules/@acme/loud": {"version": "1.0.0", "resolved": "https://evil.example/loud.tgz"},
    }
    lock = json.dumps({"lockfileVersion": 3, "packages": packages})
    files = {"MediaConduit.provider.yml": MANIFEST, "index.mjs": CODE, "npm-shrinkwrap.json": lock}
    registry.publish("@acme/locked", "1.0.0", files, dependencies={"@acme/loud": "^1.0.0"})
    async with start(registry.environ, trust=TRUST) as (_, client):
        with pytest.raises(MediaConduitError) as failure:
            await load(client, "npm:@acme/locked")
    assert failure.value.reason is Reason.SOURCE_NOT_TRUSTED
    assert "evil.example" in str(failure.value)


async def test_install_scripts_run_when_the_operator_allows_builds_and_not_before(
    start: Start, registry: Registry
) -> None:
    built = {"postinstall": "cp index.mjs made.mjs"}
    registry.publish("@acme/built", "1.0.0", {"index.mjs": LOUD}, exports="./made.mjs", scripts=built)
    files = {
        "MediaConduit.provider.yml": MANIFEST,
        "index.mjs": CODE.replace("VERSION", "1").replace('loud"', 'built"'),
    }
    registry.publish("@acme/builder", "1.0.0", files, dependencies={"@acme/built": "1.0.0"})
    async with start(registry.environ, trust=TRUST) as (_, client):
        with pytest.raises(MediaConduitError):
            await load(client, "npm:@acme/builder", provider_id="refused")
        await load(client, "npm:@acme/builder", provider_id="allowed", allow_build=True)
        assert (await client.model("allowed/default").transform("moo")).text == "1: MOO"
