import io

import pytest
from mediaconduit.content import Media
from mediaconduit.v1.media_pb2 import Asset
from mediaconduit_broker.cli import inputs
from mediaconduit_broker.cli.failures import UsageError


class Stdin(io.TextIOWrapper):
    def __init__(self, data: bytes, *, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(data))
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.fixture
def stdin(monkeypatch):
    def set_to(data: bytes, *, terminal: bool = False) -> None:
        monkeypatch.setattr("sys.stdin", Stdin(data, terminal=terminal))

    set_to(b"", terminal=True)
    return set_to


def texts(content):
    return [part.text for part in content]


def test_the_argument_is_the_text(stdin):
    stdin(b"from the pipe")
    assert texts(inputs.read("hello", [])[0]) == ["hello"]


def test_a_pipe_is_read_when_nothing_is_given_or_when_asked_for(stdin):
    for text in (None, "-"):
        stdin("grüße".encode())
        assert texts(inputs.read(text, [])[0]) == ["grüße"]


def test_a_terminal_is_not_waited_for(stdin):
    assert inputs.read(None, []) == ([], {})


def test_a_pipe_is_left_alone_when_a_file_is_the_input(stdin, tmp_path):
    stdin(b"not this")
    file = tmp_path / "a.wav"
    file.write_bytes(b"RIFF")
    assert inputs.read(None, [str(file)]) == ([file], {})


def test_named_inputs_media_types_and_urls(stdin, tmp_path):
    voice = tmp_path / "v.bin"
    voice.write_bytes(b"x")
    content, named = inputs.read(
        "say it", [f"voice={voice};type=audio/wav", f"style={voice}", f"style={voice}", "https://example.org/a?b=c"]
    )
    assert content[0].text == "say it"
    assert content[1] == Asset(uri="https://example.org/a?b=c")
    assert named == {"voice": [Media(voice, "audio/wav")], "style": [voice, voice]}


def test_a_file_whose_name_looks_like_a_named_input_is_that_file(stdin, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a=b.txt").write_text("x")
    content, named = inputs.read(None, ["a=b.txt"])
    assert [str(path) for path in content] == ["a=b.txt"]
    assert named == {}


def test_what_is_not_there_is_refused(stdin, tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        inputs.read(None, [str(tmp_path / "nothing.wav")])


def test_stdin_can_be_one_input_only(stdin):
    with pytest.raises(UsageError, match="one input only"):
        inputs.read("-", ["voice=-;type=audio/wav"])


def test_text_that_is_no_text_is_refused(stdin):
    with pytest.raises(UsageError, match="UTF-8"):
        inputs.read("\udcff", [])


def test_outputs_go_to_folders_that_are_there(tmp_path):
    assert inputs.destination(None) is None
    assert inputs.destination(str(tmp_path)) == tmp_path
    assert inputs.destination(f"{tmp_path}/new.wav") == tmp_path / "new.wav"
    with pytest.raises(UsageError, match="there is no folder"):
        inputs.destination(f"{tmp_path}/missing/new.wav")


def test_a_name_that_ends_in_a_slash_is_a_folder_to_make(tmp_path):
    assert inputs.destination(f"{tmp_path}/a/b/") == tmp_path / "a" / "b"
    assert (tmp_path / "a" / "b").is_dir()
