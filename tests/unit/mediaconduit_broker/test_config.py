from pathlib import Path

import pytest
from mediaconduit.errors import PreconditionError
from mediaconduit_broker.config import load


def write(folder: Path, text: str) -> Path:
    path = folder / "mediaconduit.toml"
    path.write_text(text)
    return path


def test_without_a_file_the_defaults_hold() -> None:
    config = load(None)
    assert config.listen == "127.0.0.1:50051"
    assert config.providers == {}


def test_a_config_is_read_and_the_command_line_wins(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        'listen = "127.0.0.1:1"\n[providers.cow]\nsource = "cowsay"\n'
        '[providers.cow.settings]\nx = 1\n[aliases]\nc = "cow/tux"\n',
    )
    config = load(path, {"listen": "127.0.0.1:2", "state_dir": None})
    assert config.listen == "127.0.0.1:2"
    assert config.providers["cow"].settings == {"x": 1}
    assert config.aliases == {"c": "cow/tux"}


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        ('lisen = "a:1"', "lisen", "did you mean `listen`?"),
        ("[limits]\nbuild_timout = 1", "limits.build_timout", "did you mean `build_timeout`?"),
        ('[providers.a]\nsource = "x"\nsetings = {}', "providers.setings", "did you mean `settings`?"),
        ("[providers.a]\n", "providers", "missing required field `source`"),
        ("listen = 5", "listen", "Expected `str`"),
        ('listen = "nowhere"', "listen", "host:port"),
        ('[providers.Bad_Name]\nsource = "x"', "providers.Bad_Name", "lower-case"),
    ],
)
def test_mistakes_name_the_key_and_what_to_do(tmp_path: Path, text: str, field: str, said: str) -> None:
    with pytest.raises(PreconditionError) as caught:
        load(write(tmp_path, text))
    assert caught.value.fields[0].field == field
    assert said in str(caught.value)


def test_what_is_no_toml_says_where(tmp_path: Path) -> None:
    with pytest.raises(PreconditionError, match="line 2"):
        load(write(tmp_path, "aliases = {}\nlisten = oops\n"))


def test_a_missing_file_is_named_without_its_folder(tmp_path: Path) -> None:
    with pytest.raises(PreconditionError) as caught:
        load(tmp_path / "nope.toml")
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[isolation]\nusers = "always"', "isolation.users"),
        ("[isolation]\nfirst_uid = 61010\nlast_uid = 61000", "isolation.last_uid"),
        ("[isolation.limits]\nmemory = 5", "isolation.limits.memory"),
        ('[providers.a]\nsource = "cowsay"\n[providers.a.limits]\ncpus = -1', "providers.a.limits.cpus"),
        ('detached = true\n[isolation]\ntransport = "tcp"', "isolation.transport"),
    ],
)
def test_mistakes_about_isolation_name_their_key(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "mediaconduit.toml"
    file.write_text(text)
    with pytest.raises(PreconditionError) as caught:
        load(file)
    assert says.rpartition(".")[2] in caught.value.message
    assert caught.value.fields[0].field.startswith(says.partition(".")[0])
