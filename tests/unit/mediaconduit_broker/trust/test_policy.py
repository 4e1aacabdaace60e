from pathlib import Path

import pytest
from mediaconduit.errors import PreconditionError, Reason
from mediaconduit_broker.trust.allowed import AllowedFile
from mediaconduit_broker.trust.patterns import parse_pattern
from mediaconduit_broker.trust.policy import TrustPolicy, is_loopback


def policy(state: Path, *allow: str, own_folders: bool = True) -> TrustPolicy:
    return TrustPolicy(allow, AllowedFile(state), own_folders=own_folders)


def refusal(made: TrustPolicy, source: str, base: Path, *, by_operator: bool = False) -> PreconditionError:
    with pytest.raises(PreconditionError) as caught:
        made.check(source, base=base, by_operator=by_operator)
    assert caught.value.reason is Reason.SOURCE_NOT_TRUSTED
    assert caught.value.code == "FAILED_PRECONDITION"
    assert caught.value.metadata["source"] == source
    return caught.value


def test_without_configuration_only_the_catalog_and_folders_of_ones_own_are_allowed(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    made = policy(tmp_path)
    made.check("cowsay", base=tmp_path)
    made.check("./mine", base=tmp_path)
    for source in ("github:acme/cow", "https://git.example.com/cow", "git@example.com:cow", "pypi:cow"):
        error = refusal(made, source, tmp_path, by_operator=True)
        assert error.metadata["how_to_allow"] == f"mediaconduit trust add {source}"
        assert error.metadata["how_to_allow"] in error.hint


def test_what_it_says_to_add_is_what_allows_it(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    kept = AllowedFile(tmp_path / "state")
    made = TrustPolicy((), kept, own_folders=False)
    for source in (
        "https://github.com/Acme/cow/tree/main/x",
        "git@example.com:/srv/cow@v1",
        "pypi:A_b==1",
        "./a folder",
    ):
        error = refusal(made, source, tmp_path)
        pattern = error.hint.split('add "')[1].split('"')[0]
        kept.add(parse_pattern(pattern))
        made.check(source, base=tmp_path)


def test_a_broker_that_others_reach_takes_folders_from_its_operator_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    made = policy(tmp_path, own_folders=False)
    made.check("./mine", base=tmp_path, by_operator=True)
    refusal(made, "./mine", tmp_path)
    policy(tmp_path, f"file:{tmp_path}/*", own_folders=False).check("./mine", base=tmp_path)


def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "open" / "mine"
    folder.mkdir(parents=True)
    folder.parent.chmod(0o777)
    assert "above it" in refusal(policy(tmp_path), str(folder), tmp_path).message
    folder.parent.chmod(0o1777)
    policy(tmp_path).check(str(folder), base=tmp_path)
    folder.chmod(0o1777)
    assert "every user may write to it" in refusal(policy(tmp_path), str(folder), tmp_path).message


def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    mine = folder.stat().st_uid
    monkeypatch.setattr("os.geteuid", lambda: mine + 1)
    if mine != 0:
        assert "belongs to another user" in refusal(policy(tmp_path), str(folder), tmp_path).message
    else:
        import os

        os.chown(folder, 12345, 12345)
        assert "belongs to another user" in refusal(policy(tmp_path), str(folder), tmp_path).message


def test_a_link_counts_as_where_it_leads(tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    (bad / "cow").mkdir(parents=True)
    good.mkdir()
    (good / "link").symlink_to(bad / "cow")
    (good / "real").mkdir()
    made = policy(tmp_path, f"file:{good}/**", own_folders=False)
    made.check(f"{good}/real", base=tmp_path)
    refusal(made, f"{good}/link", tmp_path)
    refusal(made, f"{good}/../bad/cow", tmp_path)
    # A pattern may itself be written through a link.
    (tmp_path / "alias").symlink_to(good)
    policy(tmp_path, f"file:{tmp_path}/alias/**", own_folders=False).check(f"{good}/real", base=tmp_path)


def test_a_bundled_provider_by_its_folder_is_one(tmp_path: Path) -> None:
    from mediaconduit_broker.sources.folders import catalog

    policy(tmp_path, own_folders=False).check(str(catalog()["cowsay"]), base=tmp_path)


def test_added_patterns_hold_at_once_and_until_removed(tmp_path: Path) -> None:
    kept, made = AllowedFile(tmp_path / "state"), policy(tmp_path / "state", "pypi:cow")
    refusal(made, "github:acme/cow", tmp_path)
    assert kept.add(parse_pattern("github:acme/*"))
    assert not kept.add(parse_pattern("github:acme/*"))
    made.check("github:acme/cow", base=tmp_path)
    assert made.patterns() == (
        ("catalog", "built in"),
        ("pypi:cow", "config"),
        ("github:acme/*", "command line"),
    )
    assert kept.remove("github:acme/*")
    assert not kept.remove("github:acme/*")
    refusal(made, "github:acme/cow", tmp_path)


@pytest.mark.parametrize("damage", [b"github:acme/*\n**\n", b"\xff\xfe"])
def test_a_damaged_list_allows_nothing(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "trusted-sources").write_bytes(damage)
    with pytest.raises(PreconditionError) as caught:
        policy(tmp_path).check("github:acme/cow", base=tmp_path)
    assert caught.value.reason is Reason.MANIFEST_INVALID
    assert "mediaconduit trust add" in caught.value.hint


def test_a_wrong_pattern_of_the_configuration_is_named(tmp_path: Path) -> None:
    with pytest.raises(PreconditionError, match=r"trust\.allow\[1\]"):
        policy(tmp_path, "catalog", "acme/*")


def test_a_shell_takes_the_command_as_it_is_meant(tmp_path: Path) -> None:
    made = TrustPolicy((), AllowedFile(tmp_path), own_folders=False, default_state=False)
    (tmp_path / "it's").mkdir()
    command = refusal(made, f"{tmp_path}/it's", tmp_path).metadata["how_to_allow"]
    import shlex

    assert shlex.split(command) == ["mediaconduit", "trust", "add", f"file:{tmp_path}/it's", "--state-dir", "FOLDER"]


@pytest.mark.parametrize(
    ("listen", "alone"),
    [
        ("127.0.0.1:1", True),
        ("127.8.8.8:1", True),
        ("localhost:1", True),
        ("[::1]:1", True),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("10.0.0.1:1", False),
        ("localhost.evil.org:1", False),
        ("127.evil.org:1", False),
        ("[::1a]:1", False),
    ],
)
def test_who_reaches_an_address(listen: str, alone: bool) -> None:
    assert is_loopback(listen) is alone
