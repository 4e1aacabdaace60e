"""What is kept of builds: why one was needed, and the newest logs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mediaconduit_broker.environments.journal import KEPT_LOGS, LOG_BYTES, BuildJournal

from .test_plan import PLAN


def test_why_an_environment_is_built_again(tmp_path: Path) -> None:
    journal = BuildJournal(tmp_path)
    assert (journal.reason(PLAN), journal.last_key("mine")) == ("", "")
    journal.used(PLAN)
    assert journal.last_key("mine") == PLAN.key
    assert journal.reason(PLAN) == "the last one had been removed"
    assert journal.reason(replace(PLAN, toolchain=("go 2",))) == "toolchain changed: +go 2, -GNU Make 4.4"
    assert journal.reason(replace(PLAN, source="github:x/y")) == "it comes from another source"
    assert journal.reason(replace(PLAN, provider_id="other")) == ""


def test_a_damaged_journal_only_costs_the_reason(tmp_path: Path) -> None:
    journal = BuildJournal(tmp_path)
    journal.used(PLAN)
    (tmp_path / "mine" / "plan.json").write_text("{")
    assert journal.reason(PLAN) == ""
    journal.used(PLAN)
    assert journal.last_key("mine") == PLAN.key


def test_the_newest_logs_are_kept(tmp_path: Path) -> None:
    journal = BuildJournal(tmp_path)
    assert journal.last_log("mine") is None
    for number in range(KEPT_LOGS + 3):
        log = journal.log(PLAN)
        log.write(f"build {number}")
        log.close()
    kept = sorted((tmp_path / "mine").glob("*.log"))
    assert [path.read_text() for path in kept] == [f"build {number}\n" for number in range(3, KEPT_LOGS + 3)]
    assert (journal.last_log("mine") or (0, ""))[1] == f"build {KEPT_LOGS + 2}\n"


def test_a_log_is_bounded_and_keeps_the_end_of_what_is_too_long(tmp_path: Path) -> None:
    log = BuildJournal(tmp_path).log(PLAN)
    log.write("begin\n")
    log.write("x" * LOG_BYTES + "end")
    log.write("later")
    log.close()
    _, text = BuildJournal(tmp_path).last_log("mine") or (0, "")
    assert len(text) <= LOG_BYTES + 1
    assert text.startswith("begin\n")
    assert text.endswith("end\n")


def test_a_folder_that_cannot_be_written_costs_the_log_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    journal = BuildJournal(tmp_path / "file")
    log = journal.log(PLAN)
    log.write("anything")
    log.close()
    journal.used(PLAN)
    assert journal.last_log("mine") is None
