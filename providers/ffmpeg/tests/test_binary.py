"""Which ffmpeg is used."""

import sys
from pathlib import Path

import pytest
from ffmpeg_provider import binary
from mediaconduit_provider import InvalidRequestError, PreconditionError


def test_the_bundled_one_comes_before_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary.shutil, "which", lambda _: "/usr/bin/ffmpeg")
    assert "imageio_ffmpeg" in binary.find()


def test_the_systems_is_used_where_none_is_bundled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    monkeypatch.setattr(binary.shutil, "which", lambda _: "/usr/bin/ffmpeg")
    assert binary.find() == "/usr/bin/ffmpeg"


def test_none_at_all_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    monkeypatch.setattr(binary.shutil, "which", lambda _: None)
    with pytest.raises(PreconditionError) as caught:
        binary.find()
    assert "imageio-ffmpeg" in caught.value.hint


def test_a_configured_one_must_be_a_program(tmp_path: Path) -> None:
    assert binary.find(sys.executable) == sys.executable
    with pytest.raises(InvalidRequestError) as caught:
        binary.find(str(tmp_path / "nothing"))
    assert caught.value.fields[0].field == "settings.ffmpeg_path"
    assert str(tmp_path) not in str(caught.value)
