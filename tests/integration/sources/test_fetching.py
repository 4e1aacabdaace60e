"""How code is fetched: once, all of it or one folder, through mirrors, with a deadline, and never half."""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
from pathlib import Path

import pytest
from mediaconduit.errors import CallTimeoutError, NotFoundError, PreconditionError, Reason, UnavailableError
from mediaconduit_broker.sources import Sources

from tests.integration.sources.conftest import MANIFEST, MakeSources
from tests.support.git_server import GitServer, Repository


async def test_concurrent_loads_of_one_source_fetch_once(
    sources: Sources, server: GitServer, repository: Repository
) -> None:
    forms = ["github:o/r", "github:o/r@main", "https://github.com/o/r/tree/main", "https://github.com/o/r.git"]
    checkouts = await asyncio.gather(*(sources.resolve(source) for source in forms * 5))
    assert len({checkout.folder for checkout in checkouts}) == 1
    assert server.fetches == ["o/r.git"]


async def test_two_processes_on_one_state_folder_end_with_one_checkout(
    make: MakeSources, repository: Repository, tmp_path: Path
) -> None:
    one, two = await asyncio.gather(make("shared").resolve("github:o/r"), make("shared").resolve("github:o/r"))
    assert one == two
    assert len(list((tmp_path / "shared" / "sources").glob("*/*"))) == 1
    assert not list((tmp_path / "shared" / "sources").glob(".*")), "nothing is left of the other"


async def test_a_named_commit_that_is_here_needs_no_network(
    make: MakeSources, server: GitServer, repository: Repository
) -> None:
    checkout = await make().resolve("github:o/r@main")
    before = len(server.requests)
    assert (await make().resolve(f"github:o/r@{checkout.commit}")).folder == checkout.folder
    assert (await make().resolve("github:o/r@main", pinned=checkout.resolved)).folder == checkout.folder
    assert len(server.requests) == before


async def test_what_was_pinned_for_another_source_is_not_taken(sources: Sources, repository: Repository) -> None:
    old = await sources.resolve("github:o/r")
    new = repository.commit({"version.txt": "two"})
    assert (await sources.resolve("github:o/r", pinned=old.resolved)).commit == old.commit
    assert (await sources.resolve("github:o/r", pinned=f"github:o/other@{old.commit}")).commit == new


async def test_a_commit_of_one_repository_is_no_commit_of_another(
    sources: Sources, server: GitServer, repository: Repository
) -> None:
    """Otherwise an allow-list of places could be passed by what another place has left here."""
    checkout = await sources.resolve("github:o/r")
    server.repository("o/other").commit({"a": "b"})
    with pytest.raises(NotFoundError):
        await sources.resolve(f"github:o/other@{checkout.commit}")


async def test_one_folder_is_all_that_is_fetched_of_it(sources: Sources, server: GitServer) -> None:
    repository = server.repository("o/many")
    repository.commit({"a/MediaConduit.provider.yml": MANIFEST, "b/big.txt": secrets.token_hex(500_000), "t": ""})
    checkout = await sources.resolve("github:o/many//a")
    assert [path.name for path in checkout.folder.iterdir()] == ["MediaConduit.provider.yml"]
    assert checkout.tree == repository.git("rev-parse", "HEAD:a")
    assert server.bytes_sent < 100_000
    assert list(checkout.folder.parents[1].iterdir()) == [checkout.folder.parent]


async def test_history_is_not_fetched_and_no_repository_is_kept(
    sources: Sources, server: GitServer, repository: Repository
) -> None:
    for text in (secrets.token_hex(500_000), "now"):
        repository.commit({"version.txt": text})
    checkout = await sources.resolve("github:o/r")
    assert {path.name for path in checkout.folder.iterdir()} == {"MediaConduit.provider.yml", "version.txt"}
    assert checkout.tree == repository.git("rev-parse", "HEAD^{tree}")
    assert server.bytes_sent < 100_000


async def test_a_folder_without_manifest_names_those_that_have_one(sources: Sources, server: GitServer) -> None:
    server.repository("o/many").commit({"p/cow/MediaConduit.provider.yml": MANIFEST, "p/README": ""})
    for source in ("github:o/many", "github:o/many//p", "github:o/many//nowhere"):
        with pytest.raises(NotFoundError) as caught:
            await sources.resolve(source)
        assert caught.value.metadata["suggestions"] == "p/cow"
        assert "github:o/many//p/cow" in caught.value.hint


async def test_progress_is_told_as_fetching(sources: Sources, repository: Repository) -> None:
    steps: list[tuple[str, float | None]] = []
    await sources.resolve("github:o/r", report=lambda *step: steps.append(step))
    assert {message for message, _ in steps} == {"fetching"}
    assert steps[-1] == ("fetching", 1.0)


async def test_a_server_that_does_not_answer_meets_the_deadline_and_leaves_nothing(
    make: MakeSources, server: GitServer, repository: Repository, tmp_path: Path
) -> None:
    server.hold.clear()
    with pytest.raises(CallTimeoutError) as caught:
        await make(timeout=0.5).resolve("github:o/r")
    assert caught.value.reason is Reason.VENDOR_TIMEOUT
    assert "0.5 s" in caught.value.message
    with pytest.raises(CallTimeoutError):
        await make(timeout=0.5).resolve(f"github:o/r@{repository.git('rev-parse', 'HEAD')}")
    assert list((tmp_path / "state" / "sources").iterdir()) == []


async def test_leaving_ends_git_only_when_nobody_else_waits(
    sources: Sources, server: GitServer, repository: Repository, tmp_path: Path
) -> None:
    server.hold.clear()
    first, second = (asyncio.ensure_future(sources.resolve("github:o/r")) for _ in range(2))
    await asyncio.to_thread(server.asked.wait)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    server.hold.set()
    assert (await second).folder.is_dir()


async def test_a_host_that_cannot_be_reached_is_unavailable(make: MakeSources) -> None:
    sources = make(rewrite={"https://github.com/": "http://127.0.0.1:9/"})
    with pytest.raises(UnavailableError) as caught:
        await sources.resolve("github:o/r")
    assert caught.value.reason is Reason.VENDOR_UNAVAILABLE
    assert "127.0.0.1" not in str(caught.value)


async def test_the_longest_rewrite_counts_and_the_name_stays(
    make: MakeSources, server: GitServer, repository: Repository
) -> None:
    sources = make(rewrite={"https://github.com/": "http://127.0.0.1:9/", "https://github.com/o/": f"{server.url}/o/"})
    assert (await sources.resolve("github:o/r")).resolved.startswith("github:o/r@")


async def test_instead_of_in_gits_own_configuration_is_followed(
    make: MakeSources, server: GitServer, repository: Repository, environ: dict[str, str]
) -> None:
    Path(environ["GIT_CONFIG_GLOBAL"]).write_text(f'[url "{server.url}/"]\n\tinsteadOf = https://github.com/\n')
    assert (await make(rewrite={}).resolve("github:o/r")).folder.is_dir()


async def test_other_hosts_and_ways_to_write_them(make: MakeSources, server: GitServer) -> None:
    repository = server.repository("team/tools")
    repository.commit({"p/MediaConduit.provider.yml": MANIFEST})
    repository.tag("v1")
    sources = make(
        rewrite={
            "https://git.example.org/": f"{server.url}/",
            "ssh://git@git.example.org/": f"{server.url}/",
            "git@git.example.org:": f"{server.url}/",
        }
    )
    resolved = [
        (await sources.resolve(f"{place}team/tools.git//p@v1")).resolved.partition("@v")[0]
        for place in ("https://git.example.org/", "ssh://git@git.example.org/", "git@git.example.org:")
    ]
    commit = repository.git("rev-parse", "HEAD")
    assert resolved == [
        f"https://git.example.org/team/tools//p@{commit}",
        f"ssh://git@git.example.org/team/tools//p@{commit}",
        f"git@git.example.org:team/tools//p@{commit}",
    ]


async def test_what_is_not_kept_is_collected(sources: Sources, repository: Repository) -> None:
    old = await sources.resolve("github:o/r")
    repository.commit({"version.txt": "two"})
    new = await sources.resolve("github:o/r")
    assert sources.collect({new.resolved}) == 0, "the old one was asked for just now"
    assert sources.collect({new.resolved}, 0.0) == 1
    assert (old.folder.exists(), new.folder.exists()) == (False, True)
    assert (await sources.resolve(old.resolved)).folder.is_dir(), "it can be fetched again"


async def test_ssh_is_spoken_with_gits_own_command_and_nothing_is_asked(
    make: MakeSources, server: GitServer, tmp_path: Path
) -> None:
    repository = server.repository("team/tools")
    commit = repository.commit({"MediaConduit.provider.yml": MANIFEST})
    ssh = tmp_path / "ssh"
    ssh.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/said\ncd {repository.bare.parents[1]}\n'
        'for last; do :; done\nexec sh -c "$last"\n'
    )
    ssh.chmod(0o755)
    sources = make(variables={"GIT_SSH_COMMAND": str(ssh), "GIT_SSH_VARIANT": "simple"})
    assert (await sources.resolve("git@git.example.org:team/tools.git")).commit == commit
    assert "git@git.example.org git-upload-pack" in (tmp_path / "said").read_text()


async def test_code_that_a_provider_has_changed_is_fetched_again(
    sources: Sources, server: GitServer, repository: Repository
) -> None:
    checkout = await sources.resolve("github:o/r")
    (checkout.folder / "version.txt").write_text("evil")
    again = await sources.resolve("github:o/r")
    assert again == checkout
    assert (again.folder / "version.txt").read_text() == "one"
    assert server.fetches == ["o/r.git"] * 2


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
async def test_a_full_disk_is_said_to_be_full_and_leaves_nothing(
    make: MakeSources, repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"big.txt": secrets.token_hex(2_000_000)})
    small = tmp_path / "small"
    small.mkdir()
    await asyncio.to_thread(subprocess.run, ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], check=True)
    try:
        with pytest.raises(PreconditionError, match="disk is full") as caught:
            await make("small").resolve("github:o/r")
        assert caught.value.reason is Reason.BUILD_FAILED
        assert list((small / "sources").iterdir()) == []
    finally:
        await asyncio.to_thread(subprocess.run, ["umount", small], check=True)
