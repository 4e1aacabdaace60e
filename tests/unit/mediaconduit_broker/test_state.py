import os
import stat
import sys
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


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="of root's state folder")
def test_sidecars_with_users_of_their_own_reach_environments_and_sources_only(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "anything").mkdir()
    (tmp_path / "note.json").write_text("{}")
    state = StateFolder(tmp_path)
    with state.lock():
        modes = {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in (tmp_path, *tmp_path.iterdir())}
    others = {name: mode for name, mode in modes.items() if mode[-1] != "0"}
    assert others == {tmp_path.name: "0o711", "environments": "0o755", "sources": "0o755", **_lock(others)}


def _lock(modes: dict[str, str]) -> dict[str, str]:
    """The number of the broker's process is no secret."""
    return {name: mode for name, mode in modes.items() if name == "broker.lock"}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have their own places")
@pytest.mark.parametrize(
    ("uid", "environ", "folder"),
    [
        (0, {"HOME": "/root"}, "/var/lib/mediaconduit"),
        (0, {"XDG_STATE_HOME": "/x"}, "/x/mediaconduit"),
        (1000, {"HOME": "/home/me"}, "/home/me/.local/state/mediaconduit"),
        (1000, {"HOME": "/home/me", "XDG_STATE_HOME": "/x"}, "/x/mediaconduit"),
    ],
)
def test_where_state_is_follows_from_the_variables_given(
    monkeypatch: pytest.MonkeyPatch, uid: int, environ: dict[str, str], folder: str
) -> None:
    """Root's is where other users can pass. The process's own variables count for nothing."""
    monkeypatch.setenv("XDG_STATE_HOME", "/elsewhere")
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    found = StateFolder.default(environ)
    assert (found.root, found.is_default) == (Path(folder), True)
    assert StateFolder.at(None, environ).root == Path(folder)
    assert StateFolder.at(folder, environ).is_default
    assert not StateFolder.at("/mine", environ).is_default


def test_a_damaged_record_does_not_stop_the_others(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    with state.lock():
        (tmp_path / "providers" / "bad.json").write_text("{")
        state.remember(KnownProvider("cow", "cowsay"))
        assert [known.provider_id for known in state.known_providers()] == ["cow"]
