"""Whoever meets a name of the contract in an editor finds there what it means."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from tests.support.contract import PROTOS, Element, build, elements

SHORTEST = 12
"""Characters below which a comment is a riddle ("Which.", "As it is.")."""
# Words that say nothing without the line below them ("How it is done.", "What was said.").
FILLER = frozenset(
    "a an and are as at be by comes done for from had has have how in is it its made new news of on one or said set "
    "some something such that the there these they this those to was what when where which who why will with".split()
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[FileDescriptorProto]:
    return build(tmp_path_factory.mktemp("contract"))


@pytest.fixture(scope="module")
def documented(files: list[FileDescriptorProto]) -> dict[str, Element]:
    return {element.name: element for file in files for element in elements(file)}


def says_nothing(element: Element) -> bool:
    """Too short, or nothing in it but its own name and words that need others."""
    own = set(re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", element.name).lower()))
    own |= {word + "s" for word in own} | {word.removesuffix("s") for word in own}
    words = set(re.findall(r"[a-z0-9]+", element.comment.lower()))
    form = '"' in element.comment  # how it is written ("jobs/{job}")
    return len(element.comment) < SHORTEST or not (form or words - own - FILLER)


def test_every_file_and_kind_of_element_is_looked_at(
    files: list[FileDescriptorProto], documented: dict[str, Element]
) -> None:
    assert sorted(Path(file.name).name for file in files) == sorted(path.name for path in PROTOS.rglob("v1/*.proto"))
    kinds = {element.kind for element in documented.values()}
    assert kinds == {"service", "rpc", "message", "field", "oneof", "enum", "value"}


def test_every_element_says_what_it_is(documented: dict[str, Element]) -> None:
    assert [f"{e.name}: {e.comment!r}" for e in documented.values() if says_nothing(e)] == []


@pytest.mark.parametrize(
    ("name", "comment"),
    [
        ("GetModelRequest", "Which."),
        ("GetModelResponse.model", "As it is."),
        ("GetModelResponse", "The model."),
        ("ListModelsResponse.models", "The models."),
        ("Generation.finishes", ""),
        ("TransformRequest.options", "How it is to be done."),
    ],
)
def test_riddles_are_found(name: str, comment: str) -> None:
    assert says_nothing(Element(name, "field", comment))


def test_requests_and_responses_name_their_call(
    files: list[FileDescriptorProto], documented: dict[str, Element]
) -> None:
    silent = [
        f"{message} does not name {service.name}.{method.name}"
        for file in files
        for service in file.service
        for method in service.method
        for message in (method.input_type.rpartition(".")[2], method.output_type.rpartition(".")[2])
        if not re.search(rf"\b{method.name}\b", documented[message].comment)
    ]
    assert silent == []


def test_comments_keep_to_the_width_of_the_code() -> None:
    wide = [
        f"{path.name}:{number}"
        for path in PROTOS.rglob("v1/*.proto")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > 120 or "\t" in line
    ]
    assert wide == []
