"""Pages as text."""

from __future__ import annotations

from typing import Any

from mediaconduit_provider import Delta
from mediaconduit_vendors.mistral.ocr import page_text, read


def page(markdown: str, **more: Any) -> dict[str, Any]:
    return {"index": 0, "markdown": markdown, "images": [], **more}


def test_tables_stand_where_they_belong() -> None:
    tables = [{"id": "tbl-0.html", "content": "<table></table>"}, {"id": "tbl-1.html", "content": "<table>2</table>"}]
    text = page_text(page("A [tbl-0.html](tbl-0.html) B [tbl-1.html](tbl-1.html)", tables=tables))
    assert text == "A <table></table> B <table>2</table>"


def test_headers_and_footers_stand_around_a_page() -> None:
    assert page_text(page("text", header="Head", footer="1/2")) == "Head\n\ntext\n\n1/2"
    assert page_text(page("text", header=None, footer=None, tables=None)) == "text"


def test_pages_are_apart() -> None:
    assert list(read({"pages": [page("One."), page(""), page("Three.")]}, wanted=False)) == [
        "One.",
        "\n\n",
        "\n\nThree.",
    ]


def test_images_may_come_without_their_type() -> None:
    [_, data, done] = read({"pages": [page("", images=[{"id": "a", "image_base64": "aGk="}])]}, wanted=False)
    assert isinstance(data, Delta)
    assert (data.data, data.output.media_type, data.output.name) == (b"hi", "image/jpeg", "a")
    assert isinstance(done, Delta)
    assert done.done


def test_what_was_to_be_known_comes_in_place_of_the_text() -> None:
    [known] = read({"pages": [page("text")], "document_annotation": '{"a": 1}'}, wanted=True)
    assert isinstance(known, Delta)
    assert (known.text, known.output.media_type) == ('{"a": 1}', "application/json")
