"""The pages on manifest and configuration name what the code knows."""

import re
import tomllib
from pathlib import Path

import msgspec
from mediaconduit_broker.config import (
    Config,
    IsolationConfig,
    Limits,
    ProviderConfig,
    SecretsConfig,
    SourcesConfig,
    TrustConfig,
)
from mediaconduit_broker.manifest.read import parse_manifest
from mediaconduit_broker.manifest.schema import SCHEMA

DOCS = Path(__file__).parents[3] / "docs"


def rows(page: str) -> set[str]:
    lines = [line for line in (DOCS / page).read_text().splitlines() if line.startswith("| `")]
    return {name for line in lines for name in re.findall(r"`([^`]+)`", line.split("|")[1])}


def example(page: str, kind: str) -> str:
    return re.findall(rf"```{kind}\n(.*?)```", (DOCS / page).read_text(), re.S)[0]


def test_the_manifest_page_lists_every_key() -> None:
    assert rows("manifest.md") == set(SCHEMA["properties"])


def test_the_manifest_example_is_one() -> None:
    assert parse_manifest(example("manifest.md", "yaml")).warnings == ()


def test_the_configuration_page_lists_every_key() -> None:
    tables = {"providers", "limits", "sources", "secrets", "trust", "isolation"}
    top = {field.name for field in msgspec.structs.fields(Config)} - tables
    providers = {f"providers.NAME.{field.name}" for field in msgspec.structs.fields(ProviderConfig)}
    limits = {f"limits.{field.name}" for field in msgspec.structs.fields(Limits)}
    sources = {f"sources.{field.name}" for field in msgspec.structs.fields(SourcesConfig)}
    secrets = {f"secrets.{field.name}" for field in msgspec.structs.fields(SecretsConfig)}
    isolation = {f"isolation.{field.name}" for field in msgspec.structs.fields(IsolationConfig)}
    trust = {f"trust.{field.name}" for field in msgspec.structs.fields(TrustConfig)}
    assert rows("config.md") == top | providers | limits | sources | secrets | trust | isolation


def test_the_configuration_example_is_one_and_its_defaults_are_the_codes() -> None:
    config = msgspec.convert(tomllib.loads(example("config.md", "toml")), Config)
    assert config.providers["writer"].start_timeout == 120
    page = (DOCS / "config.md").read_text()
    for field in msgspec.structs.fields(Limits):
        assert (
            f"| `limits.{field.name}` | {field.default:g} |".replace("e+06", "") in page or str(field.default) in page
        )
