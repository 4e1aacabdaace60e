"""Providers that need keys: with a stand-in of their vendor, with a key, and without one."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from mediaconduit.errors import PreconditionError
from mediaconduit_broker.cli.app import run
from mediaconduit_broker.cli.invocation import Invocation
from mediaconduit_broker.conformance import CHECKS
from mediaconduit_broker.state import StateFolder

from tests.support.brokers import write_provider

from .conftest import ROOT, Conform

KEYED = str(ROOT / "tests/providers/keyed")
WORKING = {"transform", "upload", "parallel", "cancel", "deadline", "concurrency", "lenient"}
"""Checks of calls that succeed."""


async def test_a_stand_in_makes_every_check_pass_without_a_key(conform: Conform) -> None:
    report = await conform("./keyed")
    assert [(o.name, o.detail) for o in report.outcomes if not o.passed or not o.applicable] == []
    assert [outcome.name for outcome in report.outcomes] == list(CHECKS)


async def test_samples_of_the_manifest_are_what_is_sent(conform: Conform) -> None:
    """No media type of the suite's own is one that its model takes for pictures."""
    report = await conform("./keyed", only=["transform"])
    assert report.outcomes[1].detail == "image-to-text, text-to-text"


async def test_only_models_that_are_asked_for_are_tried(conform: Conform) -> None:
    report = await conform("./keyed", models=["another"], only=["transform"])
    assert report.outcomes[1].detail == "not applicable: none of the models that are to be tried is there"


async def test_without_a_key_what_needs_one_is_skipped_and_the_rest_is_checked(conform: Conform) -> None:
    report = await conform("./keyed", live=True)
    assert [(outcome.name, outcome.detail) for outcome in report.failed] == []
    skipped = {outcome.name: outcome.detail for outcome in report.skipped}
    assert set(skipped) >= WORKING
    assert not set(skipped) & {"start", "identity", "models", "model", "options", "unknown-model", "empty-input"}
    assert all(detail.startswith("skipped: needs KEYED_API_KEY") for detail in skipped.values())
    assert not report.passed, "what was skipped is no pass"


async def test_a_key_that_is_given_reaches_the_provider(conform: Conform) -> None:
    report = await conform("./keyed", secrets={"KEYED_API_KEY": "another-key"}, only=["transform"])
    assert [(o.name, "CREDENTIALS_REJECTED" in o.detail) for o in report.failed] == [("transform", True)]


def command(state: StateFolder, *arguments: str) -> int:
    environ = {"PATH": "/usr/bin:/bin"}
    return run(["test", KEYED, *arguments, "--state-dir", str(state.root)], Invocation(environ=environ))


def test_skipped_checks_have_an_exit_code_of_their_own(state: StateFolder, capsys: pytest.CaptureFixture[str]) -> None:
    only = ("--live", "--only", "transform", "--only", "identity")
    assert command(state, *only) == 5
    shown = capsys.readouterr().out.splitlines()
    assert shown[2].split(maxsplit=2) == [
        "○",
        "transform",
        "skipped: needs KEYED_API_KEY for image-to-text, text-to-text",
    ]
    assert shown[3].startswith("keyed: 2 checks passed, 1 skipped")
    assert command(state, *only, "--allow-skipped") == 0
    assert command(state, *only, "--json") == 5
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [(c["passed"], c["skipped"]) for c in document["checks"]] == [(True, False), (True, False), (False, True)]
    assert not document["passed"]


def test_skipped_checks_are_skipped_tests_of_junit(state: StateFolder, tmp_path: Path) -> None:
    report = tmp_path / "out.xml"
    assert command(state, "--live", "--only", "transform", "--junit", str(report), "--allow-skipped") == 0
    suite = ElementTree.parse(report).getroot()[0]
    assert {case.get("name"): [child.tag for child in case] for case in suite} == {
        "start": [],
        "transform": ["skipped"],
    }
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "1")


def test_a_key_on_the_command_line_is_of_the_form_name_value(state: StateFolder) -> None:
    assert command(state, "--secret", "KEYED_API_KEY") == 2


@pytest.mark.parametrize(
    ("upstream", "why"),
    [
        ("no-such-program", "could not be started"),
        ("[python, -c, 'print(1); raise SystemExit(3)']", "ended before it wrote a URL"),
    ],
)
async def test_a_stand_in_that_does_not_serve_is_said(
    upstream: str, why: str, conform: Conform, tmp_path_factory: pytest.TempPathFactory
) -> None:
    manifest = f"id: mine\nruntime: python\nentry: mine_provider:Mine\nconformance: {{upstream: {upstream}}}\n"
    folder = write_provider(tmp_path_factory.mktemp("p") / "mine", "", manifest=manifest)
    with pytest.raises(PreconditionError, match=why):
        await conform(str(folder))
