from pathlib import Path

import pytest
from mediaconduit.errors import NotFoundError, Reason
from mediaconduit_broker.sources import catalog, content_hash, resolve


def test_bundled_providers_are_found_by_name(tmp_path: Path) -> None:
    assert "cowsay" in catalog()
    checkout = resolve("cowsay", base=tmp_path)
    assert (checkout.folder / "MediaConduit.provider.yml").is_file()
    assert checkout.resolved.startswith("file:cowsay@")


@pytest.mark.parametrize("form", ["{path}", "file://{path}", "./mine", "file:mine"])
def test_folders_in_every_form(tmp_path: Path, form: str) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    assert resolve(form.format(path=folder), base=tmp_path).folder == folder


def test_what_is_not_there_names_the_nearest_and_no_path(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        resolve("cowsya", base=tmp_path)
    assert caught.value.reason is Reason.SOURCE_NOT_FOUND
    assert caught.value.metadata["suggestions"] == "cowsay"


def test_the_hash_follows_content_and_not_caches(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    before = content_hash(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("x")
    assert content_hash(tmp_path) == before
    (tmp_path / "a.py").write_text("2")
    assert content_hash(tmp_path) != before
