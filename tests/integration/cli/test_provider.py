import json
import signal

from tests.support.brokers import GOOD, write_provider


def test_a_provider_is_added_listed_refreshed_and_removed(cli, tmp_path):
    folder = write_provider(tmp_path / "mine", GOOD)
    added = cli("provider", "add", "mine/.", cwd=tmp_path)
    assert (added.code, added.out) == (0, "")
    assert added.err.splitlines()[-1].startswith("added mine (1 model, ")
    assert cli("transform", "mine/default", "x").out == "one"

    row = next(line for line in cli("provider", "ls").out.splitlines() if line.startswith("mine "))
    assert row.split()[1] == "ready"
    assert "serving" in row
    assert str(folder) in row

    (folder / "mine_provider.py").write_text(GOOD.replace('"one"', '"two"'))
    assert cli("provider", "refresh", "mine").err.splitlines()[-1].startswith("refreshed mine ")
    assert cli("transform", "mine/default", "x").out == "two"

    assert cli("provider", "rm", "mine").err == "removed mine\n"
    assert cli("provider", "inspect", "mine").code == 4


def test_a_provider_gets_the_name_and_settings_it_is_given(cli):
    added = cli("provider", "add", "./faulty", "--id", "second", "--set", "greeting=good day", "--set", "key=s3cret")
    assert added.err.splitlines()[-1].startswith("added second ")
    assert cli("transform", "second/greet", "x").out.startswith("good day ")
    assert "s3cret" not in cli("provider", "inspect", "second").out
    assert cli("provider", "rm", "second").code == 0
    assert cli("provider", "configure", "faulty", "--set", "greeting=hello").err == "configured faulty\n"
    assert cli("transform", "faulty/greet", "x").out.startswith("hello ")
    refused = cli("provider", "configure", "faulty", "--set", "greeting=7", "--set", "colour=red")
    assert refused.code == 3
    assert "greeting" in refused.err and "colour" in refused.err


def test_all_about_a_provider(cli):
    shown = cli("provider", "inspect", "faulty").out
    facts = dict(line.split(maxsplit=1) for line in shown.splitlines() if not line.startswith(" "))
    assert facts["name"] == "faulty"
    assert facts["state"].startswith("ready")
    assert facts["interpreter"].startswith("CPython 3")
    assert '"writeOnly": true' in shown
    assert "grpcio==" in shown
    machine = json.loads(cli("provider", "inspect", "faulty", "--json").out)
    assert machine["environment"]["key"] == facts["environment"]
    assert machine["description"]["max_concurrency"] == 64


def test_the_list_for_machines_is_the_contract(cli):
    providers = json.loads(cli("provider", "ls", "--json").out)
    shapes = next(p for p in providers if p["name"] == "providers/shapes")
    assert (shapes["state"], shapes["serving"], shapes["model_count"]) == ("PROVIDER_STATE_READY", True, 9)
    assert shapes["stuck_calls"] == 0  # also what is zero is there


def test_logs_are_shown_and_followed(cli, tmp_path):
    write_provider(tmp_path / "chatty", GOOD.replace("yield VERSION", "print(call.text); yield VERSION"), name="chatty")
    assert cli("provider", "add", tmp_path / "chatty").code == 0
    assert cli("transform", "chatty/default", "first").code == 0
    assert "first" in cli("provider", "logs", "chatty").out
    assert cli("provider", "logs", "chatty", "-n", "0").out == ""
    following = cli.start("provider", "logs", "chatty", "-f")
    with following:
        assert "first" in following.stdout.readline()
        assert cli("transform", "chatty/default", "second").code == 0
        assert "second" in following.stdout.readline()
        following.send_signal(signal.SIGINT)
        assert following.wait(20) == 130
    assert cli("provider", "rm", "chatty").code == 0


def test_a_build_that_fails_shows_its_last_lines_and_a_hint(cli, tmp_path):
    folder = write_provider(tmp_path / "broken", GOOD, dependencies='["colorama==99.99"]', name="broken")
    added = cli("provider", "add", folder)
    assert added.code == 5
    assert "colorama" in added.err
    assert added.err.count("No solution found") == 1
    shown = cli("provider", "ls").out
    assert "broken" in shown and "failed" in shown
    assert cli("provider", "rm", "broken").code == 0


def test_every_mistake_of_a_manifest_is_named(cli, tmp_path):
    folder = write_provider(tmp_path / "odd", GOOD, manifest="id: odd\nruntime: cobol\nentry: no thing\n")
    added = cli("provider", "add", folder)
    assert added.code == 5
    assert "MediaConduit.provider.yml:2" in added.err
    assert "MediaConduit.provider.yml:3" in added.err


def test_a_source_that_is_not_there_names_those_that_are(cli):
    added = cli("provider", "add", "cowsey")
    assert added.code == 4
    assert "cowsay" in added.err


def test_models_can_be_listed_and_looked_into(cli):
    listed = cli("models", "--capability", "text-to-video")
    assert [line.split()[0] for line in listed.out.splitlines()] == ["model", "shapes/film"]
    shown = cli("models", "faulty/picky").out
    assert "extra.level" in shown
    assert "integer 1..9" in shown
    schema = json.loads(cli("models", "faulty/picky", "--json").out)["options_schema"]
    assert schema["properties"]["extra"]["properties"]["level"]["maximum"] == 9
    assert {m["name"] for m in json.loads(cli("models", "shapes", "--json").out)} >= {"providers/shapes/models/speak"}


def test_voices_of_a_provider_without_any(cli):
    assert cli("voices", "shapes").code == 5
    assert cli("voices").code == 0


def test_a_terminal_sees_progress_that_goes_away(cli, tmp_path):
    write_provider(tmp_path / "shown", GOOD, name="shown")
    code, shown = cli.on_terminal("provider", "add", tmp_path / "shown")
    assert code == 0
    assert "added" in shown
    assert "\x1b[2K" in shown  # the bar was erased
    assert cli("provider", "rm", "shown").code == 0


def test_no_broker_is_told_from_a_call_that_failed(cli):
    nobody = type(cli)("127.0.0.1:1")
    done = nobody("models")
    assert done.code == 69
    assert done.err == (
        "error: no broker answers at 127.0.0.1:1\n"
        "hint: start one with `mediaconduit up`, or say where it is with --broker\n"
    )
    assert cli("models", "--broker", "127.0.0.1:1").code == 69
