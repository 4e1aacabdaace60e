"""Keys follow from what goes in and whose it is; what changed is said in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from mediaconduit_broker.environments.executable import ExecutablePlan
from mediaconduit_broker.environments.plan import difference

PLAN = ExecutablePlan(
    provider_id="mine",
    source="github:o/mine",
    repository=Path("/srv/one"),
    tree="a" * 64,
    build=(("make", "all"),),
    start=("bin/mine", "--folder", "{folder}/data"),
    toolchain=("GNU Make 4.4",),
    path="/usr/bin:/bin",
)


@pytest.mark.parametrize(
    "change",
    [
        {"provider_id": "other"},
        {"source": "github:x/mine"},
        {"tree": "b" * 64},
        {"build": (("make", "some"),)},
        {"toolchain": ("GNU Make 4.5",)},
    ],
)
def test_another_of_anything_is_another_environment(change: dict[str, object]) -> None:
    assert replace(PLAN, **change).key != PLAN.key  # type: ignore[arg-type]


def test_where_the_repository_lies_and_how_it_is_started_do_not_count() -> None:
    assert replace(PLAN, repository=Path("/srv/two"), start=("bin/other",)).key == PLAN.key


def test_a_command_starts_a_program_of_the_build_or_of_the_path(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "mine"
    program.parent.mkdir()
    program.write_text("")
    program.chmod(0o755)
    assert PLAN.command(tmp_path) == [str(program), "--folder", f"{tmp_path}/data"]
    assert replace(PLAN, start=("sh", "-c")).command(tmp_path)[0].endswith("/sh")
    assert PLAN.working_folder(tmp_path) == tmp_path


@pytest.mark.parametrize(
    ("before", "now", "says"),
    [
        ({"requirements": ("six==1",)}, {"requirements": ("six==1",)}, ""),
        ({"requirements": ("six==1",)}, {"requirements": ("six==2",)}, "requirements changed: +six==2, -six==1"),
        ({}, {"toolchain": ("go 1",)}, "toolchain changed: +go 1"),
        (
            {"requirements": (), "interpreter": ("CPython 3.11.7",)},
            {"requirements": ("six",), "interpreter": ("CPython 3.12.1",)},
            "interpreter changed: +CPython 3.12.1, -CPython 3.11.7; requirements changed: +six",
        ),
        (
            {"requirements": ()},
            {"requirements": tuple("abcdefgh")},
            "requirements changed: +a, +b, +c, +d, +e, +f and 2 more",
        ),
    ],
)
def test_what_changed(before: dict[str, tuple[str, ...]], now: dict[str, tuple[str, ...]], says: str) -> None:
    assert difference(before, now) == says
