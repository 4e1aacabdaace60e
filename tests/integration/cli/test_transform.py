import json
import re
import signal

import pytest


def calls_of(cli, name):
    providers = json.loads(cli("provider", "ls", "--json").out)
    return next(p["active_calls"] for p in providers if p["name"] == f"providers/{name}")


def test_text_comes_from_the_argument(cli):
    done = cli("transform", "faulty/echo", "hello there")
    assert (done.code, done.out, done.err) == (0, "hello there ", "")


@pytest.mark.parametrize("arguments", [[], ["-"]])
def test_text_comes_from_a_pipe(cli, arguments):
    done = cli("transform", "faulty/echo", *arguments, stdin="grüße aus bern".encode())
    assert (done.code, done.out) == (0, "grüße aus bern ")


def test_files_are_inputs_and_data_goes_into_a_pipe(cli, tmp_path):
    sample = tmp_path / "sample.wav"
    sample.write_bytes(b"\0\1sample")
    done = cli("transform", "shapes/speak", "say it", "-i", f"voice={sample}")
    assert (done.code, done.data) == (0, b"RIFF\0\1samplesay it")


def test_a_piped_input_streams_through(cli):
    sent = bytes(range(256)) * 12_000  # more than one message may hold
    done = cli("transform", "faulty/copy", "-i", "-;type=audio/wav", stdin=sent)
    assert done.code == 0, done.err
    assert done.data == sent


def test_data_is_saved_and_named(cli, tmp_path):
    target = tmp_path / "film.mp4"
    done = cli("transform", "shapes/film", "a cat", "-o", target)
    assert (done.code, done.out, target.read_bytes()) == (0, "", b"fresh")
    assert done.err == f"saved {target} (video/mp4, 5 B, 8 s)\n"


def test_several_outputs_go_into_a_folder_without_their_previews(cli, tmp_path):
    done = cli("transform", "shapes/paint", "a cat", "-O", "candidates=2", "-o", f"{tmp_path}/made/")
    assert done.code == 0, done.err
    assert sorted(path.read_bytes() for path in (tmp_path / "made").iterdir()) == [b"sharp 0", b"sharp 1"]


def test_several_outputs_do_not_fit_into_a_pipe(cli):
    done = cli("transform", "shapes/paint", "a cat", "-O", "candidates=2")
    assert done.code == 2
    assert "hint: name a folder for them with -o" in done.err


def test_a_text_is_saved_to_a_file_or_a_folder(cli, tmp_path):
    assert cli("transform", "faulty/echo", "one", "-o", tmp_path / "a.txt").code == 0
    assert (tmp_path / "a.txt").read_text() == "one "
    folder = tmp_path / "folder"
    folder.mkdir()
    done = cli("transform", "faulty/echo", "two", "-o", folder)
    assert [path.read_text() for path in folder.iterdir()] == ["two "]
    assert done.err.startswith("saved ")


def test_nothing_is_left_of_a_file_when_the_call_fails(cli, tmp_path):
    done = cli("transform", "faulty/raise", "x", "-o", tmp_path / "a.txt")
    assert done.code == 1
    assert list(tmp_path.iterdir()) == []


def test_vectors_scores_and_tool_calls_are_json(cli):
    vector = json.loads(cli("transform", "shapes/embed", "four", "-O", "embedding.dimensions=2").out)
    assert vector["embedding"]["values"] == [4.0, 4.0]
    scores = json.loads(cli("transform", "shapes/judge", "a b a", "--system", "a").out)
    assert scores["scores"]["scores"][0]["value"] == 2.0
    lines = [json.loads(line) for line in cli("transform", "shapes/chat", "weather?").out.splitlines()]
    assert [json.loads(line["tool_call"]["arguments"])["city"] for line in lines] == ["Bern", "Basel"]


def test_machines_get_a_line_for_every_event_and_the_result_last(cli, tmp_path):
    done = cli("transform", "shapes/film", "a cat", "--json", "-o", tmp_path / "film.mp4")
    lines = [json.loads(line) for line in done.out.splitlines()]
    kinds = [line["event"] for line in lines]
    assert kinds[0] == "started"
    assert [line["fraction"] for line in lines if line["event"] == "progress" and "fraction" in line] == [0.25, 0.5, 1]
    assert kinds[-1] == "result"
    assert lines[-1]["outputs"][0]["path"] == str(tmp_path / "film.mp4")
    assert lines[-1]["provenance"]["vendor_model"] == "film-2026"


def test_machines_get_failures_as_the_last_line(cli):
    done = cli("transform", "faulty/picky", "x", "-O", "extra.level=12", "--json")
    last = json.loads(done.out.splitlines()[-1])
    assert (done.code, last["event"], last["reason"]) == (3, "error", "INPUT_INVALID")
    assert last["fields"][0]["field"] == "options.extra.level"


def test_bytes_are_no_json(cli):
    done = cli("transform", "shapes/film", "a cat", "--json")
    assert (done.code, "name a file with -o" in done.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["faulty/ecko", "x"], 4, "hint: did you mean providers/faulty/models/echo"),
        (["nobody/echo", "x"], 4, "error: "),
        (["faulty/echo", "x", "-c", "text-to-video"], 5, "text-to-video"),
        (["faulty/echo", ""], 3, "error: "),
        (["faulty/raise", "x"], 1, "error id"),
        (
            ["faulty/picky", "x", "-O", "extra.level=12"],
            3,
            "hint: `mediaconduit models faulty/picky` lists its options",
        ),
        (["faulty/picky", "x", "-O", "sed=1"], 2, "did you mean 'seed'?"),
        (["faulty/picky", "x", "-O", "text.temperature=hot"], 2, "text.temperature"),
        (["faulty/echo", "x", "-o", "/nowhere/at/all"], 2, "there is no folder /nowhere/at"),
        (["faulty/endless", "x", "--timeout", "0.5"], 7, "was not done after 0.5 s"),
        (["faulty/echo", "x", "--nonsense"], 2, "--nonsense"),
    ],
)
def test_failures_say_what_to_do_and_have_their_code(cli, arguments, code, says):
    done = cli("transform", *arguments)
    assert done.code == code, done.err
    assert says in done.err
    assert "Traceback" not in done.err
    assert "sk-verysecret" not in done.out + done.err


def test_a_crash_has_its_code_and_the_next_call_works(cli):
    done = cli("transform", "faulty/kill", "x")
    assert done.code == 6
    assert "SIGKILL" in done.err
    assert cli("transform", "faulty/echo", "again").out == "again "


def test_text_is_written_as_it_comes_and_ctrl_c_cancels_the_call(cli):
    process = cli.start("transform", "faulty/endless", "x")
    with process:
        assert process.stdout.read(5) == "tick "  # the model never ends: this came before the end
        assert calls_of(cli, "faulty") == 1
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert process.stderr.read() == ""
    assert calls_of(cli, "faulty") == 0


def test_a_reader_that_leaves_ends_it_quietly(cli):
    process = cli.start("transform", "faulty/endless", "x")
    with process:
        assert process.stdout.read(5) == "tick "
        process.stdout.close()
        assert process.wait(20) == 0
        assert process.stderr.read() == ""
    assert calls_of(cli, "faulty") == 0


def test_a_terminal_shows_text_and_no_bytes(cli):
    code, shown = cli.on_terminal("transform", "faulty/echo", "hello there")
    assert code == 0
    assert "hello there" in shown
    code, shown = cli.on_terminal("transform", "shapes/film", "a cat")
    assert code == 2
    assert "fresh" not in shown
    assert "name a file with -o" in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)


def test_a_terminal_is_not_steered_by_what_a_model_says(cli):
    code, shown = cli.on_terminal("transform", "faulty/echo", "a\x1b]0;pwned\x07b")
    assert code == 0
    assert "\x1b]0;" not in shown
    assert cli("transform", "faulty/echo", "a\x1b]0;x\x07b").out == "a\x1b]0;x\x07b "  # a pipe gets what was said


def test_colours_are_for_terminals_that_want_them(cli):
    coloured = cli.on_terminal("transform", "faulty/ecko", "x")[1]
    plain = type(cli)(cli.broker, variables={"NO_COLOR": "1"}).on_terminal("transform", "faulty/ecko", "x")[1]
    assert "\x1b[1;31merror" in coloured
    assert "\x1b[1;31m" not in plain
    assert "\x1b" not in cli("transform", "faulty/ecko", "x").err
