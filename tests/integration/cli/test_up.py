import json
import signal
import socket

import psutil
import pytest

from tests.support.brokers import GOOD, write_provider


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything(start_broker, cli, tmp_path, number):
    broker = start_broker()
    mine = type(cli)(broker.address)
    assert mine("provider", "add", write_provider(tmp_path / "mine", GOOD)).code == 0
    family = psutil.Process(broker.process.pid).children(recursive=True)
    assert family
    assert broker.stop(number) == 0
    assert [process for process in family if process.is_running()] == []


def test_what_was_added_is_there_after_a_restart(start_broker, cli, tmp_path):
    broker = start_broker()
    assert type(cli)(broker.address)("provider", "add", write_provider(tmp_path / "mine", GOOD)).code == 0
    assert broker.stop() == 0
    again = type(cli)(start_broker().address)
    assert again("transform", "mine/default", "x").out == "one"


def test_the_log_has_a_line_for_every_change(start_broker, cli, tmp_path):
    broker = start_broker("--log-format", "json")
    mine = type(cli)(broker.address)
    assert mine("provider", "add", write_provider(tmp_path / "mine", GOOD)).code == 0
    assert mine("provider", "rm", "mine").code == 0
    assert broker.stop() == 0
    lines = [json.loads(line) for line in broker.log]
    events = [line["event"] for line in lines if line.get("provider") == "mine"]
    states = [
        event for event in events if event in ("installing", "starting", "loading", "ready", "stopped", "removed")
    ]
    assert states == ["installing", "starting", "loading", "ready", "stopped", "removed"]


def test_a_second_signal_cuts_calls_short(start_broker, cli, tmp_path):
    config = tmp_path / "patient.toml"
    config.write_text("[limits]\ndrain_timeout = 600\n")  # the first signal alone would wait that long
    broker = start_broker("--config", str(config))
    mine = type(cli)(broker.address)
    assert mine("provider", "add", "./faulty").code == 0
    process = mine.start("transform", "faulty/stubborn", "x")
    with process:
        assert process.stdout.read(7) == "blocked"
        family = psutil.Process(broker.process.pid).children(recursive=True)
        broker.process.send_signal(signal.SIGINT)
        broker.process.send_signal(signal.SIGTERM)
        assert process.wait(20) != 0
        assert broker.process.wait(20) == 0
    assert [child for child in family if child.is_running()] == []
    assert any("stopping at once" in line for line in broker.log)


def test_settings_of_a_config_file_hold_and_paths_start_from_it(start_broker, cli, tmp_path):
    write_provider(tmp_path / "mine", GOOD)
    config = tmp_path / "mediaconduit.toml"
    config.write_text('[aliases]\nfast = "renamed/default"\n\n[providers.renamed]\nsource = "./mine"\n')
    broker = start_broker("--config", str(config))
    mine = type(cli)(broker.address)
    assert mine("provider", "add", "./mine", "--id", "renamed", cwd=tmp_path).code == 0  # waits until it is there
    assert mine("transform", "fast", "x").out == "one"


def test_a_port_in_use_is_said(cli, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = cli("up", "--listen", address, "--state-dir", tmp_path / "state")
    assert done.code == 5
    assert f"error: {address} is in use" in done.err
    assert "hint: " in done.err


def test_a_state_folder_in_use_is_said(start_broker, cli, tmp_path):
    start_broker()
    done = cli("up", "--listen", "127.0.0.1:0", "--state-dir", tmp_path / "state")
    assert done.code == 5
    assert "uses this state folder" in done.err


def test_a_mistake_in_the_config_names_the_nearest_key(cli, tmp_path):
    config = tmp_path / "mediaconduit.toml"
    config.write_text('lisen = "127.0.0.1:0"\n')
    done = cli("up", cwd=tmp_path)
    assert done.code == 5
    assert "did you mean `listen`?" in done.err


def test_an_odd_log_format_is_wrong_usage(cli):
    assert cli("up", "--log-format", "xml").code == 2
