"""The contract with its comments: what `buf` builds from the .proto files, walked element by element."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import google.rpc
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)

PROTOS: Final = Path(__file__).parents[2] / "protos"
_BUF: Final = Path(sys.executable).with_name("buf")

Place = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Element:
    """A service, RPC, message, field, oneof, enum or value."""

    name: str
    """Full name without the package ("Model.display_name", "Broker.TailLogs")."""
    kind: str
    comment: str
    """Its leading comment, on one line."""


def build(folder: Path) -> list[FileDescriptorProto]:
    """The contract's files with their comments.

    Args:
        folder: An empty one, for a copy beside the foreign files it imports, which a checkout need not have.
    """
    rpc = next(Path(path) for path in google.rpc.__path__)
    for source, target in ((PROTOS / "mediaconduit/v1", "mediaconduit/v1"), (rpc, "google/rpc")):
        (folder / target).mkdir(parents=True)
        for path in source.glob("*.proto"):
            (folder / target / path.name).write_bytes(path.read_bytes())
    # Without --exclude-source-info, as the committed image has it: comments are source info.
    built = subprocess.run([_BUF, "build", folder, "--output", "-#format=binpb"], capture_output=True, check=True)
    files = FileDescriptorSet.FromString(built.stdout).file
    return [file for file in files if file.package == "mediaconduit.v1"]


def elements(file: FileDescriptorProto) -> Iterator[Element]:
    """Everything in a file that a reader of generated code meets."""
    comments = {
        tuple(location.path): " ".join(location.leading_comments.split()) for location in file.source_code_info.location
    }
    for name, kind, place in _places(file):
        yield Element(name, kind, comments.get(place, ""))


def _places(file: FileDescriptorProto) -> Iterator[tuple[str, str, Place]]:
    # The numbers are those of the fields in descriptor.proto that hold each of them.
    for at, message in enumerate(file.message_type):
        yield from _message(message, "", (4, at))
    for at, enum in enumerate(file.enum_type):
        yield from _enum(enum, "", (5, at))
    for at, service in enumerate(file.service):
        yield from _service(service, (6, at))


def _message(message: DescriptorProto, prefix: str, place: Place) -> Iterator[tuple[str, str, Place]]:
    if message.options.map_entry:
        return
    name = prefix + message.name
    yield name, "message", place
    for at, field in enumerate(message.field):
        yield f"{name}.{field.name}", "field", (*place, 2, at)
    for at, oneof in enumerate(message.oneof_decl):
        if not oneof.name.startswith("_"):  # those stand for `optional`
            yield f"{name}.{oneof.name}", "oneof", (*place, 8, at)
    for at, nested in enumerate(message.nested_type):
        yield from _message(nested, f"{name}.", (*place, 3, at))
    for at, enum in enumerate(message.enum_type):
        yield from _enum(enum, f"{name}.", (*place, 4, at))


def _enum(enum: EnumDescriptorProto, prefix: str, place: Place) -> Iterator[tuple[str, str, Place]]:
    yield prefix + enum.name, "enum", place
    for at, value in enumerate(enum.value):
        yield f"{prefix}{enum.name}.{value.name}", "value", (*place, 2, at)


def _service(service: ServiceDescriptorProto, place: Place) -> Iterator[tuple[str, str, Place]]:
    yield service.name, "service", place
    for at, method in enumerate(service.method):
        yield f"{service.name}.{method.name}", "rpc", (*place, 2, at)
