from pathlib import Path

import pytest
from mediaconduit_broker.conformance.check import CheckFailedError
from mediaconduit_broker.manifest.read import parse_manifest
from mediaconduit_broker.publishing import verdicts
from mediaconduit_broker.publishing.tree import Tree

GOOD = """\
id: mine
version: 1.2.3
entry: mine_provider:Mine
description: Does it.
capabilities: [text-to-text]
license: Apache-2.0
secrets: [MINE_KEY]
"""
README = "# Mine\n\nDoes it. Needs MINE_KEY. License: Apache-2.0.\n" + "What it does in detail. " * 5
HERE = Tree(top=Path("/mine"), commit="a" * 40, files=("README.md",))


def test_a_good_manifest_is_summed_up() -> None:
    assert verdicts.manifest(parse_manifest(GOOD)) == "mine 1.2.3: text-to-text"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("description: Does it.\n", "no description"),
        ("capabilities: [text-to-text]\n", "no capabilities"),
    ],
)
def test_a_manifest_that_says_too_little_is_named(line: str, why: str) -> None:
    with pytest.raises(CheckFailedError, match=why):
        verdicts.manifest(parse_manifest(GOOD.replace(line, "")))


def test_an_odd_key_is_named() -> None:
    with pytest.raises(CheckFailedError, match="unknown key `licence`"):
        verdicts.manifest(parse_manifest(GOOD + "licence: MIT\n"))


@pytest.mark.parametrize(
    ("expression", "files", "readme", "seen"),
    [
        ("Apache-2.0", ["LICENSE"], "", "Apache-2.0, in LICENSE"),
        ("mit", ["COPYING.txt"], "", "MIT, in COPYING.txt"),
        ("MIT OR Apache-2.0", [], "License: either", "MIT OR Apache-2.0, said in the README"),
    ],
)
def test_a_licence_is_named_and_said(expression: str, files: list[str], readme: str, seen: str) -> None:
    assert verdicts.license_named(expression, files, readme) == seen


@pytest.mark.parametrize(
    ("expression", "files", "why"),
    [("", ["LICENSE"], "names no license"), ("free for all", ["LICENSE"], "no SPDX"), ("MIT", [], "neither a LICENSE")],
)
def test_a_licence_that_is_missing_or_none_is_said(expression: str, files: list[str], why: str) -> None:
    with pytest.raises(CheckFailedError, match=why):
        verdicts.license_named(expression, files, "")


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("", README, "there is none"),
        ("README.md", "# Mine", "has 6 characters"),
        ("README.md", README + "TODO", "says TODO"),
        ("README.md", README.replace("MINE_KEY", "a key"), "does not say that it needs MINE_KEY"),
    ],
)
def test_a_readme_that_helps_nobody_is_said(name: str, text: str, why: str) -> None:
    with pytest.raises(CheckFailedError, match=why):
        verdicts.readme(name, text, parse_manifest(GOOD))
    assert verdicts.readme("README.md", README, parse_manifest(GOOD)) == "README.md, 4 lines"


@pytest.mark.parametrize(
    ("tree", "why"),
    [
        (Tree(), "in no git repository"),
        (Tree(top=Path("/mine")), "nothing is committed"),
        (Tree(top=Path("/mine"), commit="a", changed=tuple("123456")), "not committed: 1, 2, 3, 4, 5 and 1 more"),
    ],
)
def test_what_others_would_not_get_is_said(tree: Tree, why: str) -> None:
    with pytest.raises(CheckFailedError, match=why):
        verdicts.committed(tree)


@pytest.mark.parametrize(
    ("stated", "others", "tags", "seen"),
    [
        ("1.2.3", {}, {}, "1.2.3, not tagged yet: git tag v1.2.3 && git push origin v1.2.3"),
        ("1.2.3", {"pyproject.toml": "1.2.3"}, {"v1.2.3": "a" * 40}, "1.2.3, tagged as v1.2.3"),
        ("1.2", {}, {"1.2": "a" * 40}, "1.2, tagged as 1.2"),
        ("1.0.0-rc.1", {}, {"v0.9.0": "b" * 40}, "1.0.0-rc.1, not tagged yet"),
    ],
)
def test_a_version_says_how_it_is_tagged(stated: str, others: dict[str, str], tags: dict[str, str], seen: str) -> None:
    tree = Tree(top=Path("/mine"), commit="a" * 40, tags=tuple(tags.items()))
    assert verdicts.version(stated, others, tree).startswith(seen)


@pytest.mark.parametrize(
    ("stated", "others", "tags", "why"),
    [
        ("one", {}, {}, "'one' is no version"),
        ("1.2.3", {"package.json": "1.2.2"}, {}, r"the manifest says 1\.2\.3, package\.json says 1\.2\.2"),
        ("1.2.3", {}, {"v1.2.3": "b" * 40}, r"v1\.2\.3 is another commit"),
    ],
)
def test_a_version_that_means_something_else_is_said(
    stated: str, others: dict[str, str], tags: dict[str, str], why: str
) -> None:
    with pytest.raises(CheckFailedError, match=why):
        verdicts.version(stated, others, Tree(top=Path("/mine"), commit="a" * 40, tags=tuple(tags.items())))


def test_sizes_that_servers_or_callers_do_not_bear_are_said() -> None:
    assert verdicts.size({"a": 5000, "b": 2}) == "5 kB"
    with pytest.raises(CheckFailedError, match=r"model\.bin is larger than 100 MB"):
        verdicts.size({"model.bin": 200 * 2**20})
    with pytest.raises(CheckFailedError, match=r"60 MB in all, of which b has 40"):
        verdicts.size({"a": 20_000_000, "b": 40_000_000})


@pytest.mark.parametrize(
    ("remote", "prefix", "source"),
    [
        ("git@github.com:o/r.git", "", "github:o/r@v1"),
        ("https://github.com/o/r", "providers/mine", "github:o/r//providers/mine@v1"),
        ("https://git.example/o/r.git", "", "https://git.example/o/r.git@v1"),
        ("", "", ""),
    ],
)
def test_how_others_load_it_follows_from_the_remote(remote: str, prefix: str, source: str) -> None:
    assert verdicts.source(remote, prefix, "v1") == source
