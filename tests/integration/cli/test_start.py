"""Starting quickly, and the commands that need no broker."""

import json
import socket
import subprocess
import sys

import pytest

HEAVY = {"grpc", "google.protobuf", "rich", "structlog", "asyncio", "psutil", "msgspec", "yaml", "platformdirs"}


def test_the_commands_are_known_without_what_they_need():
    """What --help imports decides how long it takes."""
    code = "import sys, mediaconduit_broker.cli.app; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert HEAVY & set(loaded) == set()


def test_help_lists_commands_and_exit_codes(cli):
    for arguments in (["--help"], ["-h"], []):
        shown = cli(*arguments)
        text = shown.out + shown.err
        assert "transform" in text
        assert "69  no broker answers" in text
    assert cli("--help").code == 0
    assert cli("provider", "--help").code == 0


def test_a_command_that_is_not_there_names_the_nearest(cli):
    done = cli("modles")
    assert done.code == 2
    assert "models" in done.err


def test_the_version_is_said_in_two_ways(cli):
    assert cli("version").out == cli("--version").out
    assert cli("version").out.startswith("mediaconduit 0.")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete(cli, shell):
    completing = {"_MEDIACONDUIT_COMPLETE": f"source_{shell}"}
    done = type(cli)(cli.broker, variables=completing)()
    assert done.code == 0
    assert "_MEDIACONDUIT_COMPLETE" in done.out


def test_the_doctor_finds_this_machine_well(cli, tmp_path):
    done = cli("doctor", "--state-dir", tmp_path, "--json")
    found = {check["name"]: check for check in json.loads(done.out)}
    assert done.code == 0, done.out
    assert found["broker"]["verdict"] == "ok"
    assert {name for name, check in found.items() if check["verdict"] == "missing"} == set()
    kept_apart = [check for name, check in found.items() if name in ("isolation", "own users", "sandbox", "limits")]
    assert kept_apart
    assert all(check["hint"] for check in kept_apart if check["verdict"] == "note")
    assert "broker" in cli("doctor", "--state-dir", tmp_path).out


def test_the_doctor_says_what_is_missing_and_how_to_get_it(cli, tmp_path):
    (tmp_path / "file").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        done = cli("doctor", "--broker", address, "--state-dir", tmp_path / "file", "--json")
    found = {check["name"]: check for check in json.loads(done.out)}
    assert done.code == 1
    assert found["broker"]["verdict"] == "missing"
    assert found["state folder"]["verdict"] == "missing"
    assert found["state folder"]["hint"]


def test_a_new_provider_passes_its_own_tests_and_answers(cli, tmp_path):
    made = cli("new", "Loud-Speaker", cwd=tmp_path)
    assert made.code == 0, made.err
    tested = cli("exec", "--state-dir", tmp_path / "state", "./Loud-Speaker", "--", "pytest", "-q", cwd=tmp_path)
    assert tested.code == 0, tested.out + tested.err
    assert "5 passed" in tested.out
    assert cli("provider", "add", "./Loud-Speaker", cwd=tmp_path).code == 0
    assert cli("transform", "loud-speaker/default", "hello there").out == "HELLO THERE!"
    assert cli("provider", "rm", "loud-speaker").code == 0
    again = cli("new", "Loud-Speaker", cwd=tmp_path)
    assert (again.code, "there already" in again.err) == (3, True)
    failed = cli("exec", "--state-dir", tmp_path / "state", "./Loud-Speaker", "python", "-c", "exit(7)", cwd=tmp_path)
    assert failed.code == 7
    missing = cli("exec", "--state-dir", tmp_path / "state", "./Loud-Speaker", "--", "nosuchthing", cwd=tmp_path)
    assert (missing.code, "no command 'nosuchthing'" in missing.err) == (2, True)
