"""Which commit a source becomes, asked of a real server."""

from __future__ import annotations

import pytest
from mediaconduit.errors import InvalidRequestError, NotFoundError, Reason
from mediaconduit_broker.sources import Checkout, Sources

from tests.integration.sources.conftest import MANIFEST, MakeSources
from tests.support.git_server import GitServer, Repository


def said(checkout: Checkout) -> str:
    return (checkout.folder / "version.txt").read_text()


@pytest.fixture
def versions(repository: Repository) -> dict[str, str]:
    """github:o/r with branches main (three) and feature/x (two), tags v1 (one, annotated) and v2 (two, light)."""
    commits = {"one": repository.git("rev-parse", "HEAD")}
    repository.tag("v1")
    commits["two"] = repository.commit({"version.txt": "two", "x/deep/version.txt": "deep"}, ref="feature/x")
    repository.tag("v2", annotated=False)
    commits["three"] = repository.commit({"version.txt": "three"})
    return commits


@pytest.mark.parametrize(
    ("source", "version", "ref"),
    [
        ("github:o/r", "three", "refs/heads/main"),
        ("github:o/r.git", "three", "refs/heads/main"),
        ("https://github.com/o/r", "three", "refs/heads/main"),
        ("https://github.com/o/r.git", "three", "refs/heads/main"),
        ("https://github.com/o/r.git@v1", "one", "refs/tags/v1"),
        ("https://github.com/o/r/tree/v2", "two", "refs/tags/v2"),
        ("https://github.com/o/r/tree/feature/x", "two", "refs/heads/feature/x"),
        ("https://github.com/o/r/tree/main@v1", "one", "refs/tags/v1"),
        ("github:o/r@feature/x", "two", "refs/heads/feature/x"),
        ("github:o/r@heads/main", "three", "refs/heads/main"),
        ("github:o/r@refs/tags/v1", "one", "refs/tags/v1"),
    ],
)
async def test_a_ref_becomes_its_commit(
    sources: Sources, versions: dict[str, str], source: str, version: str, ref: str
) -> None:
    checkout = await sources.resolve(source)
    assert (checkout.commit, checkout.ref) == (versions[version], ref)
    assert (checkout.source, checkout.resolved) == (source, f"github:o/r@{versions[version]}")
    assert said(checkout) == version


async def test_a_commit_is_taken_as_it_is_even_when_no_ref_has_it(
    sources: Sources, repository: Repository, versions: dict[str, str]
) -> None:
    lost = repository.commit({"version.txt": "lost"})
    repository.push(f"{versions['three']}:refs/heads/main")
    checkout = await sources.resolve(f"github:o/r@{lost.upper()}")
    assert (checkout.commit, checkout.ref, said(checkout)) == (lost, "", "lost")


async def test_a_short_commit_is_completed_where_a_ref_or_an_earlier_load_has_it(
    sources: Sources, repository: Repository, versions: dict[str, str]
) -> None:
    assert said(await sources.resolve(f"github:o/r@{versions['two'][:7]}")) == "two"
    await sources.resolve("github:o/r")
    repository.commit({"version.txt": "four"})
    assert said(await sources.resolve(f"github:o/r@{versions['three'][:7]}")) == "three", "known from before"


async def test_a_short_commit_that_is_not_known_is_refused_with_the_reason(
    sources: Sources, repository: Repository, versions: dict[str, str]
) -> None:
    repository.commit({"version.txt": "four"})
    with pytest.raises(NotFoundError, match="all 40 digits") as caught:
        await sources.resolve(f"github:o/r@{versions['three'][:7]}")
    assert caught.value.reason is Reason.SOURCE_NOT_FOUND


async def test_a_missing_ref_names_the_nearest_and_never_becomes_the_default_branch(
    sources: Sources, server: GitServer, versions: dict[str, str]
) -> None:
    with pytest.raises(NotFoundError) as caught:
        await sources.resolve("github:o/r@feature/xx")
    assert caught.value.reason is Reason.SOURCE_NOT_FOUND
    assert caught.value.metadata["suggestions"].split(",")[0] == "feature/x"
    assert "feature/x" in caught.value.hint
    assert server.fetches == []


async def test_a_commit_that_does_not_exist_is_not_found(sources: Sources, versions: dict[str, str]) -> None:
    with pytest.raises(NotFoundError, match="has no commit") as caught:
        await sources.resolve(f"github:o/r@{'0' * 39}1")
    assert caught.value.reason is Reason.SOURCE_NOT_FOUND


async def test_an_empty_repository_says_so(sources: Sources, server: GitServer) -> None:
    server.repository("o/empty")
    with pytest.raises(NotFoundError, match="no default branch"):
        await sources.resolve("github:o/empty")


async def test_a_repository_that_does_not_exist_is_not_found(sources: Sources, server: GitServer) -> None:
    with pytest.raises(NotFoundError) as caught:
        await sources.resolve("github:o/nothing")
    assert caught.value.reason is Reason.SOURCE_NOT_FOUND


async def test_tree_takes_the_longest_ref_that_exists(sources: Sources, server: GitServer) -> None:
    repository = server.repository("o/many")
    repository.commit({"x/sub/MediaConduit.provider.yml": MANIFEST, "x/sub/version.txt": "short"}, ref="feature")
    checkout = await sources.resolve("https://github.com/o/many/tree/feature/x/sub")
    assert (checkout.ref, said(checkout)) == ("refs/heads/feature", "short")
    repository.push(":refs/heads/feature")
    repository.commit({"sub/MediaConduit.provider.yml": MANIFEST, "sub/version.txt": "long"}, ref="feature/x")
    checkout = await sources.resolve("https://github.com/o/many/tree/feature/x/sub")
    assert (checkout.ref, said(checkout), checkout.origin) == ("refs/heads/feature/x", "long", "github:o/many//sub")


async def test_tree_with_a_commit_as_in_a_permanent_link(sources: Sources, server: GitServer) -> None:
    repository = server.repository("o/many")
    commit = repository.commit({"a/b/MediaConduit.provider.yml": MANIFEST, "a/b/version.txt": "kept"})
    checkout = await sources.resolve(f"https://github.com/o/many/tree/{commit}/a/b")
    assert (checkout.commit, said(checkout)) == (commit, "kept")


async def test_two_refs_share_no_folder(sources: Sources, versions: dict[str, str]) -> None:
    one, two = await sources.resolve("github:o/r@v1"), await sources.resolve("github:o/r@v2")
    assert one.folder != two.folder
    assert (said(one), said(two)) == ("one", "two")


async def test_a_branch_and_a_tag_of_one_name_are_told_apart_as_git_does(
    sources: Sources, repository: Repository
) -> None:
    repository.tag("both")
    repository.commit({"version.txt": "branch"}, ref="both")
    assert said(await sources.resolve("github:o/r@both")) == "one"
    assert said(await sources.resolve("github:o/r@heads/both")) == "branch"


async def test_a_ref_never_reaches_a_shell_or_gits_options(
    make: MakeSources, repository: Repository, server: GitServer
) -> None:
    """The original ran ``git clone -b <ref>`` through a shell."""
    sources = make()
    for ref in ("main;touch pwned", "$(touch pwned)", "`touch pwned`", "--upload-pack=touch pwned", "main|touch x"):
        with pytest.raises((InvalidRequestError, NotFoundError)):
            await sources.resolve(f"github:o/r@{ref}")
    repository.commit({"version.txt": "odd"}, ref="odd;$(touch${IFS}pwned)&|'")
    assert said(await sources.resolve("github:o/r@odd;$(touch${IFS}pwned)&|'")) == "odd"


async def test_a_server_of_the_old_protocol_gives_out_refs_and_says_so_of_other_commits(
    sources: Sources, server: GitServer, repository: Repository, versions: dict[str, str]
) -> None:
    server.old = True
    assert said(await sources.resolve("github:o/r@v1")) == "one", "the commit behind a tag is none of its tips"
    assert said(await sources.resolve("github:o/r@main")) == "three"
    lost = repository.commit({"version.txt": "lost"})
    repository.push(f"{versions['three']}:refs/heads/main")
    with pytest.raises(NotFoundError, match="only the tips"):
        await sources.resolve(f"github:o/r@{lost}")


async def test_a_repository_with_longer_hashes(sources: Sources, server: GitServer) -> None:
    repository = server.repository("o/long", hashes="sha256")
    commit = repository.commit({"MediaConduit.provider.yml": MANIFEST, "version.txt": "long"})
    assert len(commit) == 64
    for source in ("github:o/long", f"github:o/long@{commit}"):
        checkout = await sources.resolve(source)
        assert (checkout.commit, said(checkout)) == (commit, "long")
