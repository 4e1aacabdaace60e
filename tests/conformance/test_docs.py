"""docs/conformance.md says what the code demands, and its commands do what it says."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mediaconduit_broker.conformance import CHECKS, Outcome, Report, formats
from mediaconduit_broker.manifest.read import parse_manifest

from .conftest import ROOT

PAGE = (ROOT / "docs/conformance.md").read_text()


def test_the_page_has_every_check_in_the_order_they_run() -> None:
    assert re.findall(r"^### (.+)$", PAGE, re.M) == list(CHECKS)


def test_the_page_says_of_each_check_what_it_demands_and_advises() -> None:
    sections = re.split(r"^##+ (.+)$", PAGE, flags=re.M)
    texts = dict(zip(sections[1::2], (" ".join(text.split()) for text in sections[2::2]), strict=True))
    for name, check in CHECKS.items():
        assert texts[name] == f"{check.demand} When it fails: {check.advice}"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.M | re.S)


def test_the_section_of_the_manifest_it_shows_is_one() -> None:
    (section,) = blocks("yaml")
    manifest = parse_manifest(f"id: mine\nentry: mine:Mine\n{section}")
    assert manifest.warnings == ()
    assert manifest.conformance.upstream == ("python", "tests/upstream.py")


def test_the_document_for_machines_it_shows_has_the_fields_there_are() -> None:
    (shown,) = map(json.loads, blocks("json"))
    made = formats.as_json(Report("cowsay", (Outcome("start", True, "ready", 0.3),)))
    assert shown == made


@pytest.mark.timeout(300)
def test_every_command_it_shows_works(tmp_path: Path) -> None:
    """Run where the provider is that they speak of: one that takes a key, and passes."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/mediaconduit"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m mediaconduit_broker.cli "$@"\n')
    program.chmod(0o755)
    here = tmp_path / "here"
    shutil.copytree(ROOT / "tests/providers/broken", here)
    shutil.copytree(ROOT / "tests/providers/broken", here / "my-provider")
    shutil.copytree(ROOT / "tests/providers/broken", here / "tests/providers/broken")
    environ = os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}", "KEY": "hush-hush"}
    environ |= {"XDG_STATE_HOME": str(tmp_path / "state")}
    commands = [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    commands += re.findall(r"`(BROKEN_DEFECT=[^`]+)`", PAGE)
    assert len(commands) == 4
    for command in commands:
        done = subprocess.run(
            ["bash", "-c", command], cwd=here, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == ("BROKEN_DEFECT" in command), f"{command}\n{done.stdout}\n{done.stderr}"
    assert (here / "results.xml").is_file()
