import pytest
from mediaconduit.errors import NotFoundError
from mediaconduit_broker.sources import GitSource
from mediaconduit_broker.sources.git import rewritten
from mediaconduit_broker.sources.git_command import scrubbed
from mediaconduit_broker.sources.refs import Choice, Refs, choose, parse_refs

A, B, C, D = (letter * 40 for letter in "abcd")
REFS = Refs(
    {
        "refs/heads/main": A,
        "refs/heads/feature/x": B,
        "refs/heads/feature/x/deep": C,
        "refs/heads/same": A,
        "refs/tags/same": B,
        "refs/tags/v1": C,
        "refs/heads/abcdef1": D,
    },
    head="refs/heads/main",
    head_commit=A,
)


def source(ref: str = "", tree: str = "", subdir: str = "") -> GitSource:
    return GitSource("u", "github:o/r", ref, subdir, tree)


def test_a_listing_is_read_with_annotated_tags_by_their_commit() -> None:
    output = f"ref: refs/heads/main\tHEAD\n{A}\tHEAD\n{A}\trefs/heads/main\n"
    output += f"{B}\trefs/tags/v1\n{C}\trefs/tags/v1^{{}}\nnoise\n"
    assert parse_refs(output) == Refs({"refs/heads/main": A, "refs/tags/v1": C}, "refs/heads/main", A)


@pytest.mark.parametrize(
    ("wanted", "choice"),
    [
        (source(), Choice(A, "refs/heads/main")),
        (source(subdir="s"), Choice(A, "refs/heads/main", "s")),
        (source("main", subdir="s"), Choice(A, "refs/heads/main", "s")),
        (source("same"), Choice(B, "refs/tags/same")),
        (source("heads/same"), Choice(A, "refs/heads/same")),
        (source("refs/heads/same"), Choice(A, "refs/heads/same")),
        (source("abcdef1"), Choice(D, "refs/heads/abcdef1")),
        (source(D), Choice(D)),
        (source("cccc"), Choice(C)),
        (source("eeee"), Choice("e" * 40)),
        (source(tree="main"), Choice(A, "refs/heads/main")),
        (source(tree="feature/x/deep/sub"), Choice(C, "refs/heads/feature/x/deep", "sub")),
        (source(tree="feature/x/sub/deep"), Choice(B, "refs/heads/feature/x", "sub/deep")),
        (source(tree=f"{D}/sub"), Choice(D, "", "sub")),
        (source(tree="cccc/sub"), Choice(C, "", "sub")),
        (source("v1", tree="feature/x/sub"), Choice(C, "refs/tags/v1", "sub")),
    ],
)
def test_what_a_source_means(wanted: GitSource, choice: Choice) -> None:
    assert choose(wanted, REFS, known={"e" * 40}) == choice


@pytest.mark.parametrize(
    ("wanted", "nearest"),
    [
        (source("mian"), "main"),
        (source("v2"), "v1"),
        (source("feature/y"), "feature/x"),
        (source(tree="featur/x"), "feature/x"),
        (source("nothing-like-it"), ""),
        (source("9999"), ""),
        (source("v2", tree="main/sub"), "v1"),
    ],
)
def test_what_is_missing_names_the_nearest(wanted: GitSource, nearest: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        choose(wanted, REFS)
    assert caught.value.metadata["suggestions"].split(",")[0] == nearest
    assert caught.value.hint


def test_a_short_commit_of_several_names_them() -> None:
    refs = Refs({"refs/heads/a": "abcd1" + "0" * 35, "refs/heads/b": "abcd2" + "0" * 35})
    with pytest.raises(NotFoundError, match="2 commits"):
        choose(source("abcd"), refs)


def test_a_head_that_points_nowhere_is_no_branch_of_another_name() -> None:
    with pytest.raises(NotFoundError, match="no default branch"):
        choose(source(), Refs({"refs/heads/main": A}))


def test_the_longest_beginning_is_rewritten() -> None:
    table = {"https://h/": "https://m/", "https://h/o/": "ssh://n/", "": "x"}
    assert rewritten("https://h/o/r", table) == "ssh://n/r"
    assert rewritten("https://h/p/r", table) == "https://m/p/r"
    assert rewritten("https://i/p", table) == "https://i/p"


def test_passwords_are_taken_out_of_what_git_writes() -> None:
    assert scrubbed("fatal: unable to access 'https://u:p@h/o/r': x") == "fatal: unable to access 'https://h/o/r': x"
    assert "s3" not in scrubbed("https://tok_s3@h/o and http://a:b:s3@h")
