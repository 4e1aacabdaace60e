import os
from pathlib import Path

from mediaconduit_broker.secrets import EnvironmentSource, FolderSource, Secret, SecretStore
from mediaconduit_broker.secrets.sources import LONGEST


async def test_the_first_source_that_has_one_counts(tmp_path: Path) -> None:
    (tmp_path / "A").write_text("from folder\n")
    (tmp_path / "B").write_text("from folder")
    store = SecretStore([EnvironmentSource({"A": "from environment", "B": ""}), FolderSource(tmp_path)])
    found = await store.find(["A", "B", "C", "A"])
    assert {name: (value.reveal(), value.source) for name, value in found.values.items()} == {
        "A": ("from environment", "environment"),
        "B": ("from folder", "folder"),
    }
    assert found.missing == ("C",)
    assert store.advice("C") == (
        "put it in the broker's environment (C=…), which is read when the broker starts, "
        "or in a file C in the secrets folder"
    )


async def test_a_provider_may_mean_another_secret_or_none(tmp_path: Path) -> None:
    environ = {"A": "a", "B": "b", "C": "c"}
    store = SecretStore([EnvironmentSource(environ)]).renamed({"A": "B", "C": "", "D": "E"})
    found = await store.find(["A", "C", "D"])
    assert {name: secret.reveal() for name, secret in found.values.items()} == {"A": "b"}
    assert found.missing == ("C", "D")
    assert [store.gives(name) for name in "ABCD"] == [True, True, False, True]
    assert store.advice("D") == "put it in the broker's environment (E=…), which is read when the broker starts"


async def test_the_brokers_own_settings_are_no_secrets() -> None:
    assert await EnvironmentSource({"MEDIACONDUIT_API_KEY": "mine"}).find("MEDIACONDUIT_API_KEY") is None


async def test_a_mounted_folder_is_read_anew_each_time(tmp_path: Path) -> None:
    """Kubernetes swaps a symlink to the folder of a new revision."""
    for revision in ("one", "two"):
        (tmp_path / revision).mkdir()
        (tmp_path / revision / "KEY").write_text(f"{revision}\r\n")
    (tmp_path / "..data").symlink_to("one")
    (tmp_path / "KEY").symlink_to("..data/KEY")
    source = FolderSource(tmp_path)
    assert await source.find("KEY") == Secret("one")
    (tmp_path / "..new").symlink_to("two")
    (tmp_path / "..new").rename(tmp_path / "..data")
    assert await source.find("KEY") == Secret("two")


async def test_a_folder_that_is_not_there_has_nothing(tmp_path: Path) -> None:
    assert await FolderSource(tmp_path / "none").find("KEY") is None


async def test_what_is_no_readable_text_file_is_missing_and_said_so(tmp_path: Path) -> None:
    (tmp_path / "FOLDER").mkdir()
    os.mkfifo(tmp_path / "PIPE")
    (tmp_path / "BINARY").write_bytes(b"\xff\xfe")
    (tmp_path / "LARGE").write_text("x" * (LONGEST + 1))
    (tmp_path / "ZERO").write_text("a\0b")
    names = ["FOLDER", "PIPE", "BINARY", "LARGE", "ZERO"]
    found = await SecretStore([FolderSource(tmp_path)]).find(names)
    assert found.missing == tuple(names)
    assert len(found.warnings) == len(names)
    assert not any(str(tmp_path) in warning for warning in found.warnings)


async def test_a_source_that_fails_does_not_hide_the_next(tmp_path: Path) -> None:
    (tmp_path / "KEY").mkdir()
    found = await SecretStore([FolderSource(tmp_path), EnvironmentSource({"KEY": "there"})]).find(["KEY"])
    assert found.values["KEY"] == Secret("there")
    assert found.warnings


async def test_a_value_too_short_to_redact_is_warned_about_without_showing_it() -> None:
    found = await SecretStore([EnvironmentSource({"PIN": "q7z"})]).find(["PIN"])
    assert found.warnings == ("the value of PIN is too short to be kept out of logs",)
    assert "q7z" not in repr(found)
