"""Build commands run where the operator allows it, and their tools must be there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from mediaconduit.errors import PreconditionError, Reason
from mediaconduit_broker.environments.executable import ExecutablePlan, plan_executable
from mediaconduit_broker.environments.request import EnvironmentRequest, Permissions
from mediaconduit_broker.environments.tools import Tools, build_environ
from mediaconduit_broker.manifest.read import parse_manifest


async def plan(folder: Path, manifest: str, *, allowed: bool = True) -> ExecutablePlan:
    request = EnvironmentRequest(
        provider_id="mine",
        source="github:o/mine",
        folder=folder,
        manifest=parse_manifest(f"id: mine\nruntime: exec\n{manifest}"),
        permissions=Permissions(build=allowed),
    )
    return await plan_executable(request, Tools(build_environ(os.environ)))


async def test_a_build_that_is_not_allowed_says_how_to_allow_it_and_what_it_would_run(tmp_path: Path) -> None:
    with pytest.raises(PreconditionError) as caught:
        await plan(tmp_path, "build: [make all, ./finish.sh]\ncommand: bin/mine\n", allowed=False)
    assert caught.value.reason is Reason.SOURCE_NOT_TRUSTED
    assert caught.value.metadata["how_to_allow"] == "mediaconduit provider add github:o/mine --allow-build"
    assert caught.value.metadata["how_to_allow"] in caught.value.hint
    assert "`allow_build = true` in [providers.mine]" in caught.value.hint
    assert "`make all`; `./finish.sh`" in caught.value.hint


async def test_nothing_to_build_needs_no_leave(tmp_path: Path) -> None:
    assert (await plan(tmp_path, "command: [sh, serve.sh]\n", allowed=False)).build == ()


async def test_a_tool_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(PreconditionError) as caught:
        await plan(tmp_path, "build: [no-such-compiler x]\ncommand: bin/mine\n")
    assert "takes no-such-compiler, which is not on this machine" in caught.value.message
    assert "PATH" in caught.value.hint


async def test_versions_of_tools_go_in_and_programs_of_the_repository_are_not_run_for_theirs(tmp_path: Path) -> None:
    script = tmp_path / "build.sh"
    script.write_text("#!/bin/sh\ntouch ran\n")
    script.chmod(0o755)
    made = await plan(tmp_path, "build: [./build.sh, env true]\ncommand: bin/mine\n")
    assert len(made.toolchain) == 1
    assert "env" in made.toolchain[0]
    assert not (tmp_path / "ran").exists()
