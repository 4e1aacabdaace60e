import os
from collections.abc import Callable
from pathlib import Path

import pytest
from mediaconduit.errors import NotFoundError, PreconditionError, Reason
from mediaconduit_broker.sources import Sources, catalog, content_hash
from mediaconduit_broker.sources.store import Record, Store
from structlog.testing import capture_logs

Make = Callable[[], Sources]


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    return Sources(tmp_path / "state", {}, base=tmp_path)


async def test_bundled_providers_are_found_by_name(sources: Sources) -> None:
    assert "cowsay" in catalog()
    checkout = await sources.resolve("cowsay")
    assert (checkout.folder / "MediaConduit.provider.yml").is_file()
    assert checkout.resolved.startswith("file:cowsay@")
    assert checkout.origin == "cowsay"


@pytest.mark.parametrize("form", ["{path}", "file://{path}", "./mine", "file:mine", "file://localhost{path}"])
async def test_folders_in_every_form(sources: Sources, tmp_path: Path, form: str) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    checkout = await sources.resolve(form.format(path=folder))
    assert (checkout.folder, checkout.origin) == (folder, f"file:{folder}")


async def test_what_is_not_there_names_the_nearest_and_no_path(sources: Sources) -> None:
    with pytest.raises(NotFoundError) as caught:
        await sources.resolve("cowsya")
    assert caught.value.reason is Reason.SOURCE_NOT_FOUND
    assert caught.value.metadata["suggestions"] == "cowsay"


async def test_owner_and_name_alone_are_a_folder_and_the_hint_says_how_to_mean_github(sources: Sources) -> None:
    with pytest.raises(NotFoundError, match="github:owner/name"):
        await sources.resolve("owner/name")


def test_the_hash_follows_content_and_not_caches(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    before = content_hash(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("x")
    assert content_hash(tmp_path) == before
    (tmp_path / "a.py").write_text("2")
    assert content_hash(tmp_path) != before


RECORD = Record(origin="github:o/r//a", version="c0ffee", tree="t", name="a")


async def put(store: Store, record: Record, text: str) -> Path:
    async with store.staging() as staging:
        (staging / "new").mkdir()
        (staging / "new" / "file").write_text(text)
        return store.publish(staging / "new", "github:o/r", record)


async def test_the_first_of_two_that_publish_one_version_stays(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert await put(store, RECORD, "first") == await put(store, RECORD, "second")
    found = store.intact("github:o/r", "github:o/r//a", "c0ffee")
    assert found is not None
    assert ((found[0] / "file").read_text(), found[1].resolved) == ("first", "github:o/r//a@c0ffee")
    assert store.versions("github:o/r") == {"c0ffee"}


async def test_a_checkout_without_its_record_does_not_count_and_is_made_anew(tmp_path: Path) -> None:
    store = Store(tmp_path)
    folder = await put(store, RECORD, "half")
    (folder.parent / "checkout.json").unlink()
    assert store.find("github:o/r", "github:o/r//a", "c0ffee") is None
    assert ((await put(store, RECORD, "whole")) / "file").read_text() == "whole"


async def test_a_folder_and_the_whole_repository_are_kept_apart(tmp_path: Path) -> None:
    store = Store(tmp_path)
    whole = Record(origin="github:o/r", version="c0ffee", tree="t", name="r")
    first, second = await put(store, RECORD, "a"), await put(store, whole, "b")
    assert ((first / "file").read_text(), (second / "file").read_text()) == ("a", "b")


async def test_what_is_staged_goes_when_it_is_not_published(tmp_path: Path) -> None:
    store = Store(tmp_path)
    async with store.staging() as staging:
        os.symlink("/etc", staging / "file")
        (staging / "new").mkdir()
        os.symlink("/etc", staging / "new" / "etc")
        with pytest.raises(PreconditionError):
            store.publish(staging / "new", "github:o/r", RECORD)
    assert list(tmp_path.iterdir()) == []


async def test_another_user_reads_a_checkout_by_its_name_and_sees_no_others(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        folder = await put(Store(tmp_path / "sources"), RECORD, "code")
    finally:
        os.umask(before)
    assert [oct(path.stat().st_mode & 0o777) for path in (folder / "file", folder, *folder.parents[:2])] == [
        "0o644",
        "0o755",
        "0o711",
        "0o711",
    ]


def changed(folder: Path) -> None:
    (folder / "file").write_text("evil")


def added(folder: Path) -> None:
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "file.pyc").write_text("evil")


def made_to_run(folder: Path) -> None:
    (folder / "file").chmod(0o755)


def linked(folder: Path) -> None:
    (folder / "file").unlink()
    os.symlink("elsewhere", folder / "file")


@pytest.mark.parametrize("change", [changed, added, made_to_run, linked])
async def test_code_that_was_changed_here_does_not_run(tmp_path: Path, change: Callable[[Path], None]) -> None:
    store = Store(tmp_path)
    folder = await put(store, RECORD, "code")
    place = ("github:o/r", "github:o/r//a", "c0ffee")
    assert store.intact(*place) is not None
    change(folder)
    with capture_logs() as logs:
        assert store.intact(*place) is None
    assert logs[0]["source"] == "github:o/r//a@c0ffee"
    assert ((await put(store, RECORD, "code")) / "file").read_text() == "code"
