import stat
from pathlib import Path

import pytest
from mediaconduit.errors import PreconditionError
from mediaconduit_broker.state import KnownProvider, StateFolder


def test_a_second_broker_is_refused_and_told_who_holds_the_folder(tmp_path: Path) -> None:
    first = StateFolder(tmp_path)
    refused = pytest.raises(PreconditionError, match=r"another broker \(process \d+\)")
    with first.lock(), refused, StateFolder(tmp_path).lock():
        pass
    with StateFolder(tmp_path).lock():
        pass


def test_what_was_added_is_remembered_for_this_user_alone(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    with state.lock():
        state.remember(KnownProvider("cow", "cowsay", {"key": "secret"}))
        assert state.known_providers() == [KnownProvider("cow", "cowsay", {"key": "secret"})]
        assert stat.S_IMODE((tmp_path / "providers" / "cow.json").stat().st_mode) == 0o600
        state.forget("cow")
        assert state.known_providers() == []


def test_a_damaged_record_does_not_stop_the_others(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    with state.lock():
        (tmp_path / "providers" / "bad.json").write_text("{")
        state.remember(KnownProvider("cow", "cowsay"))
        assert [known.provider_id for known in state.known_providers()] == ["cow"]
