"""Repositories that try to run something, or to reach out of their folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from mediaconduit.errors import PreconditionError, Reason
from mediaconduit_broker.sources import Sources

from tests.integration.sources.conftest import MANIFEST, MakeSources
from tests.support.git_server import GitServer, Repository


async def test_filters_of_the_machine_are_not_run_on_a_repositorys_demand(
    make: MakeSources, server: GitServer, environ: dict[str, str], tmp_path: Path
) -> None:
    marker = tmp_path / "ran"
    Path(environ["GIT_CONFIG_GLOBAL"]).write_text(
        f'[filter "odd"]\n\tsmudge = touch {marker} && cat\n\tprocess = touch {marker}\n\trequired = true\n'
        f"[core]\n\thooksPath = {tmp_path}/hooks\n\tattributesFile = {tmp_path}/attributes\n"
    )
    (tmp_path / "attributes").write_text("* filter=odd\n")
    (tmp_path / "hooks").mkdir()
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        (tmp_path / "hooks" / name).write_text(f"#!/bin/sh\ntouch {marker}\n")
        (tmp_path / "hooks" / name).chmod(0o755)
    text = "$Id$ one\ntwo\n"
    server.repository("o/r").commit(
        {"MediaConduit.provider.yml": MANIFEST, ".gitattributes": "* filter=odd ident text eol=crlf\n", "a.txt": text}
    )
    for source in ("github:o/r", "github:o/r@main"):
        checkout = await make().resolve(source)
        assert (checkout.folder / "a.txt").read_bytes() == text.encode(), "byte by byte"
    assert not marker.exists()


async def test_lfs_and_submodules_are_left_alone(sources: Sources, server: GitServer, repository: Repository) -> None:
    inner = server.repository("o/inner").commit({"a": "b"})
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{inner},inner")
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    (repository.folder / "inner").mkdir()
    (repository.folder / "model.bin").write_text(pointer)
    (repository.folder / ".gitmodules").write_text(
        f'[submodule "inner"]\n\tpath = inner\n\turl = {server.url}/o/inner\n'
    )
    (repository.folder / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    repository.git("add", "model.bin", ".gitmodules", ".gitattributes")
    repository.git("commit", "-q", "-m", "parts")
    repository.push("HEAD:refs/heads/main")
    checkout = await sources.resolve("github:o/r")
    assert (checkout.folder / "model.bin").read_text() == pointer
    assert list((checkout.folder / "inner").iterdir()) == []
    assert server.fetches == ["o/r.git"]


@pytest.mark.parametrize(
    ("links", "source"),
    [
        ({"p/away": "/etc/passwd"}, "github:o/r//p"),
        ({"p/away": "../secret.txt"}, "github:o/r//p"),
        ({"p/a/b/c": "../../../../.."}, "github:o/r"),
        ({"p/a/b/up": "../..", "p/away": "a/b/up/../secret.txt"}, "github:o/r//p"),
        ({"p/away": "../tree/MediaConduit.provider.yml"}, "github:o/r//p"),
        ({"p/one": "two", "p/two": "../secret.txt"}, "github:o/r//p"),
        ({"p/away": "../p/MediaConduit.provider.yml"}, "github:o/r//p"),
    ],
)
async def test_a_link_out_of_the_folder_is_refused_and_nothing_stays(
    sources: Sources, repository: Repository, tmp_path: Path, links: dict[str, str], source: str
) -> None:
    (repository.folder / "secret.txt").write_text("s")
    for name, target in links.items():
        path = repository.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        os.symlink(target, path)
    repository.commit({"p/MediaConduit.provider.yml": MANIFEST})
    with pytest.raises(PreconditionError, match="leads out of") as caught:
        await sources.resolve(source)
    assert caught.value.reason is Reason.SOURCE_NOT_TRUSTED
    assert list((tmp_path / "state" / "sources").iterdir()) == []


async def test_links_within_the_folder_are_kept(sources: Sources, repository: Repository) -> None:
    (repository.folder / "p" / "a").mkdir(parents=True)
    os.symlink("../real.txt", repository.folder / "p" / "a" / "link")
    repository.commit({"p/MediaConduit.provider.yml": MANIFEST, "p/real.txt": "here"})
    checkout = await sources.resolve("github:o/r//p")
    assert (checkout.folder / "a" / "link").read_text() == "here"


async def test_the_folder_wanted_may_not_be_a_link(sources: Sources, repository: Repository) -> None:
    os.symlink("/etc", repository.folder / "p")
    repository.commit()
    with pytest.raises(Exception, match=r"no folder|no provider"):
        await sources.resolve("github:o/r//p")


async def test_a_rewrite_cannot_make_git_run_a_command(make: MakeSources, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    sources = make(rewrite={"https://github.com/": f"ext::sh -c touch% {marker}% "})
    with pytest.raises(Exception, match="could not be reached"):
        await sources.resolve("github:o/r")
    assert not marker.exists()
