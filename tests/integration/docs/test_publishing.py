"""The page on publishing: its checks are those there are, and its commands make a provider that is fit."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from mediaconduit_broker.publishing import NAMES

PAGE = (Path(__file__).parents[3] / "docs/publishing.md").read_text(encoding="utf-8")


def test_the_page_lists_every_check_in_its_order() -> None:
    assert tuple(re.findall(r"^\| `(\w+)` \|", PAGE, re.M)) == NAMES


def test_its_commands_make_a_provider_that_is_fit(tmp_path: Path) -> None:
    program = tmp_path / "bin/mediaconduit"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m mediaconduit_broker.cli "$@"\n')
    program.chmod(0o755)
    who = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environ = os.environ | who | {"GIT_CONFIG_GLOBAL": "/dev/null", "XDG_STATE_HOME": str(tmp_path / "state")}
    environ |= {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    commands = re.findall(r"^\$ (.+)$", PAGE, re.M)
    assert len(commands) == 4
    for command in commands:
        run = ["bash", "-c", command]
        done = subprocess.run(run, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert "0.1.0, tagged as v0.1.0" in done.stdout
    assert done.stdout.splitlines()[-1] == "shout: fit to be pushed"
