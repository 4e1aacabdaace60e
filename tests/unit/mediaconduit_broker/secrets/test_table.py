"""The table [secrets] of the configuration."""

from pathlib import Path

import pytest
from mediaconduit.errors import PreconditionError
from mediaconduit_broker import config


def read(tmp_path: Path, table: str) -> config.SecretsConfig:
    path = tmp_path / "mediaconduit.toml"
    path.write_text(f"[secrets]\n{table}\n")
    return config.load(path).secrets


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('order = ["environment", "environment"]', "names a source twice"),
        ('order = ["vault"]', "Invalid enum value 'vault'"),
        ('command = ["pass", "show"]', "where the secret's name goes"),
        ('command = ["{name}"]', "where the secret's name goes"),
        ('order = ["environment"]\nfolder = "/run/secrets"', "secrets.folder: is never asked"),
        ('order = []\ncommand = ["pass", "{name}"]', "secrets.command: is never asked"),
        ('floder = "/run/secrets"', "did you mean `folder`"),
    ],
)
def test_what_makes_no_sense_is_an_error(tmp_path: Path, table: str, said: str) -> None:
    with pytest.raises(PreconditionError) as raised:
        read(tmp_path, table)
    assert said in str(raised.value)


def test_settings_of_the_config_do_not_show_themselves(tmp_path: Path) -> None:
    path = tmp_path / "mediaconduit.toml"
    path.write_text('[providers.a]\nsource = "cowsay"\nsettings = {key = "sk-in-the-config"}\n')
    loaded = config.load(path)
    assert loaded.providers["a"].settings == {"key": "sk-in-the-config"}
    assert "cowsay" in repr(loaded) and "sk-in" not in repr(loaded)


def test_the_environment_comes_first_and_can_be_turned_off(tmp_path: Path) -> None:
    assert read(tmp_path, "").order[0] == "environment"
    assert read(tmp_path, 'order = ["folder"]\nfolder = "secrets"').order == ["folder"]
