"""docs/secrets.md says what the code does."""

import re
import tomllib
from pathlib import Path

import msgspec
from mediaconduit_broker.config import ProviderConfig, SecretsConfig
from mediaconduit_broker.environments.tools import build_environ, foreign_environ
from mediaconduit_broker.manifest.read import parse_manifest
from mediaconduit_broker.runners.command import UV_VARIABLES
from mediaconduit_broker.runners.variables import passed_on

PAGE = (Path(__file__).parents[4] / "docs" / "secrets.md").read_text()
ODD = {"OPENAI_API_KEY": "x", "UV_PUBLISH_TOKEN": "x", "UV_INDEX_MINE_PASSWORD": "x", "MEDIACONDUIT_API_KEY": "x"}


def names(row: str) -> set[str]:
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| {row} |"))
    return set(re.findall(r"`([A-Z_]+)`", line))


def test_uv_gets_the_variables_listed_and_no_others() -> None:
    listed = names("`uv`")
    assert {name for name in listed if name.startswith("UV_")} == UV_VARIABLES
    assert build_environ(dict.fromkeys(listed, "x") | ODD).keys() == listed | {"UV_PYTHON_DOWNLOADS"}


def test_other_programs_of_a_build_get_no_credentials() -> None:
    environ = {"PATH": "/bin", "HTTPS_PROXY": "http://me:pw@proxy", "NO_PROXY": "localhost", "UV_INDEX": "https://x"}
    assert foreign_environ(build_environ(environ | ODD)).keys() == {"PATH", "NO_PROXY"}


def test_a_sidecar_gets_the_variables_listed_and_no_others() -> None:
    listed = names("a sidecar")
    assert passed_on(dict.fromkeys(listed, "x") | ODD).keys() == listed


def test_the_examples_are_some() -> None:
    manifest, config, provider = re.findall(r"```(?:yaml|toml)\n(.*?)```", PAGE, re.S)
    assert parse_manifest(manifest + "id: x\nentry: a:B\n").secrets == ("OPENAI_API_KEY",)
    table = msgspec.convert(tomllib.loads(config)["secrets"], SecretsConfig)
    assert table.order == ["environment", "folder", "command"]
    writer = {"source": "x"} | tomllib.loads(provider)["providers"]["writer"]
    assert msgspec.convert(writer, ProviderConfig).secrets["ANALYTICS_KEY"] == ""
