"""``mediaconduit test``: what it prints, writes and ends with."""

import json
import os
from pathlib import Path
from xml.etree import ElementTree

import pytest
from mediaconduit_broker.cli.app import run
from mediaconduit_broker.cli.invocation import Invocation
from mediaconduit_broker.conformance import CHECKS
from mediaconduit_broker.state import StateFolder

from .conftest import ROOT

BROKEN = str(ROOT / "tests/providers/broken")


@pytest.fixture
def command(state: StateFolder) -> "Command":
    return Command(state)


class Command:
    def __init__(self, state: StateFolder) -> None:
        self._state = str(state.root)

    def __call__(self, *arguments: str, **variables: str) -> int:
        invocation = Invocation(environ={**os.environ, **variables})
        return run(["test", *arguments, "--state-dir", self._state], invocation)


def test_a_failed_check_is_shown_with_advice_and_ends_with_1(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(BROKEN, "--only", "identity", BROKEN_DEFECT="another_nonce") == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split() == ["✓", "start", "ready"]
    assert shown[1].split(maxsplit=2) == ["✗", "identity", "instance_id is not the nonce it was started with"]
    assert shown[2].strip() == f"hint: {CHECKS['identity'].advice}"
    assert shown[3].startswith("broken: 1 of 2 checks failed")


def test_checks_that_pass_end_with_0(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(BROKEN, "--only", "describe") == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("broken: 2 checks passed")


def test_json_is_one_document(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(BROKEN, "--json", "--only", "secrets", "--set", "api_key=hush-hush") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["provider"] == "broken"
    assert [(check["name"], check["passed"]) for check in document["checks"]] == [("start", True), ("secrets", True)]
    assert document["checks"][1]["detail"] == "api_key"


def test_junit_has_a_case_for_each_check(command: Command, tmp_path: Path) -> None:
    assert command(BROKEN, "--junit", str(tmp_path / "out.xml"), "--only", "models", BROKEN_DEFECT="loses_pages") == 1
    suite = ElementTree.parse(tmp_path / "out.xml").getroot()[0]
    assert {case.get("name"): [child.tag for child in case] for case in suite} == {"start": [], "models": ["failure"]}
    assert suite.get("failures") == "1"


def test_a_check_there_is_not_is_named_with_those_there_are(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(BROKEN, "--only", "cancle") == 4
    assert "the checks are start, identity" in capsys.readouterr().err


def test_settings_that_are_refused_fail_the_start(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(BROKEN, "--set", "greeting=1") == 1
    assert "settings.greeting" in capsys.readouterr().out


def test_a_folder_that_is_no_provider_is_not_found(command: Command, tmp_path: Path) -> None:
    assert command(str(tmp_path)) == 4
