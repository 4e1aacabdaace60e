"""Vendors' own descriptions of their APIs (OpenAPI), and whether a request is what they allow.

The files are read in place from the folder that ``MEDIACONDUIT_SPECS`` names; they are not ours to copy.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema_rs
import yaml
from mediaconduit_vendors.testing import FormField, Request

from tests.support.vendors.schemas import Schemas, alternatives, unknown_keys

VARIABLE = "MEDIACONDUIT_SPECS"
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
FILE = "(a file)"
"""What stands for a file's bytes while a form is checked."""


class NotDescribedError(LookupError):
    """The description knows no such request."""


def folder() -> Path | None:
    """Where the descriptions are; None where there are none."""
    named = os.environ.get(VARIABLE, "")
    return Path(named) if named and Path(named).is_dir() else None


def why_absent(file: str) -> str:
    """Why a description cannot be used; empty when it can."""
    found = folder()
    if found is None:
        return f"{VARIABLE} names no folder of vendors' descriptions"
    return "" if (found / file).is_file() else f"no {file} in {VARIABLE}"


@functools.cache
def description(file: str) -> Description:
    """The description in that file ("openai/openapi.json"), read once. Raises FileNotFoundError."""
    path = (folder() or Path(VARIABLE)) / file
    text = path.read_text(encoding="utf-8")
    return Description(json.loads(text) if path.suffix == ".json" else yaml.load(text, yaml.CSafeLoader))


class Description:
    """A vendor's API as it describes it."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.schemas = Schemas(document)
        self._operations = [
            Operation(self.schemas, method, base, path, item)
            for path, item in document["paths"].items()
            for method in item
            if method in ("get", "post", "put", "patch", "delete")
            for base in _bases(item[method], item, document)
        ]

    def operations(self, request: Request) -> list[Operation]:
        """What the request may be, by method, path and the query a path demands; the most specific ones only."""
        fitting = [operation for operation in self._operations if operation.takes(request)]
        best = max((operation.literal for operation in fitting), default=0)
        return [operation for operation in fitting if operation.literal == best]

    def problems(self, request: Request) -> list[str]:
        """What is wrong with it; empty when it is allowed. Raises `NotDescribedError`."""
        candidates = self.operations(request)
        if not candidates:
            raise NotDescribedError(f"the description has no {request.method} {request.path}")
        return min((operation.problems(request) for operation in candidates), key=len)

    def bodies(self) -> Iterator[Checked | None]:
        """How each body that is described is checked."""
        for operation in self._operations:
            yield from map(operation.checked_body, operation.media_types)

    def refuses_mutations(self, request: Request) -> bool:
        """Whether the description tells a good body from bad ones: a list of nothing, and a member gone wrong."""
        spoiled = list(mutations(request))
        return bool(spoiled) and bool(self.problems(spoiled[0])) and any(map(self.problems, spoiled[1:]))


def _bases(*levels: Mapping[str, Any]) -> list[str]:
    """Paths above an operation's own: those of the servers of the innermost level that names any."""
    servers = next((level["servers"] for level in levels if level.get("servers")), ())
    return sorted({urlsplit(server["url"]).path.rstrip("/") for server in servers} or {""})


def mutations(request: Request) -> Iterator[Request]:
    """The request with bodies that no description can mean: first one of another shape, then one wrong member each."""
    if request.media_type in FORMS:
        yield replace(request, body=request.body.replace(b'name="', b'name="made-up-'))
        for name in {field.name for field in request.form}:
            yield replace(request, body=request.body.replace(f'name="{name}"'.encode(), b'name="made-up"'))
        return
    yield replace(request, body=b"[]")
    for name in request.json:
        yield replace(request, body=json.dumps({**request.json, name: {"made-up": [1]}}).encode())


class Operation:
    """A method of a path."""

    def __init__(self, schemas: Schemas, method: str, base: str, path: str, item: Mapping[str, Any]) -> None:
        self._schemas = schemas
        self._method = method.upper()
        self._item, self._operation = item, item[method]
        plain, _, query = path.partition("#")[0].partition("?")
        self._demanded = parse_qsl(query)
        parts = re.split(r"(\{[^}]+\})", base + plain)
        self._path = re.compile("".join("[^/]+?" if part[:1] == "{" else re.escape(part) for part in parts) + "/?")
        self.literal = sum(len(part) for part in parts if part[:1] != "{") + len(query)

    def takes(self, request: Request) -> bool:
        """Whether method, path and demanded query are its own."""
        path = request.target.partition("?")[0]
        fits = request.method == self._method and self._path.fullmatch(path) is not None
        return fits and all(pair in request.query for pair in self._demanded)

    def problems(self, request: Request) -> list[str]:
        """What the request has that it must not have, and what it lacks."""
        return [*self._parameter_problems(request), *self._body_problems(request)]

    def checked_body(self, media_type: str) -> Checked | None:
        """How bodies of that type are checked; None where there is no schema for them."""
        if media_type not in self._checked:
            content = self._content
            found = content.get(media_type) or (content.get(FORMS[1]) if media_type == FORMS[0] else None)
            schema = (found or {}).get("schema")
            self._checked[media_type] = None if schema is None else Checked.of(self._schemas.standalone(schema))
        return self._checked[media_type]

    def _parameter_problems(self, request: Request) -> list[str]:
        given = dict(request.query)
        problems, known = [], {name for name, _ in self._demanded}
        for parameter in self._parameters:
            name, schema = parameter["name"], parameter.get("schema", {})
            if parameter["in"] == "query":
                known.add(name)
                if name not in given and parameter.get("required"):
                    problems.append(f"query {name}: missing")
                elif name in given and name not in self._lists:
                    checked = Checked.of(self._schemas.standalone(schema))
                    problems += checked.problems(_decoded(checked, given[name]), f"query {name}")
            elif parameter["in"] == "header" and parameter.get("required") and not request.header(name):
                problems.append(f"header {name}: missing")
        return problems + [f"query {name}: not described" for name in given if name not in known]

    def _body_problems(self, request: Request) -> list[str]:
        if not self._content:
            return ["a body where none is described"] if request.body else []
        if not request.body:
            return ["no body"] if self._body.get("required") else []
        checked = self.checked_body(request.media_type)
        if checked is None:
            return [f"a body of {request.media_type}, which is not among {sorted(self._content)}"]
        try:
            value = form_value(checked, request.form) if request.media_type in FORMS else request.json
        except ValueError as error:
            return [f"a body that cannot be read: {error}"]
        return checked.problems(value)

    @functools.cached_property
    def _checked(self) -> dict[str, Checked | None]:
        return {}

    @functools.cached_property
    def _body(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._schemas.followed(self._operation.get("requestBody", {}))
        return found

    @property
    def media_types(self) -> Sequence[str]:
        """Of bodies it takes."""
        return list(self._content)

    @property
    def _content(self) -> Mapping[str, Any]:
        content: Mapping[str, Any] = self._body.get("content", {})
        return {kind.partition(";")[0].strip().lower(): value for kind, value in content.items()}

    @functools.cached_property
    def _parameters(self) -> Sequence[Mapping[str, Any]]:
        found = [*self._item.get("parameters", ()), *self._operation.get("parameters", ())]
        return [self._schemas.followed(parameter) for parameter in found]

    @functools.cached_property
    def _lists(self) -> frozenset[str]:
        """Parameters that may come several times; they are not looked into."""
        return frozenset(
            p["name"] for p in self._parameters if "array" in str(self._schemas.followed(p.get("schema", {})))
        )


@dataclass(frozen=True)
class Checked:
    """A schema that is ready to check."""

    schema: Mapping[str, Any]
    validator: Any

    @classmethod
    def of(cls, schema: Mapping[str, Any]) -> Checked:
        """Compiles a self-contained schema."""
        return cls(schema, jsonschema_rs.Draft202012Validator(schema))

    def problems(self, value: Any, where: str = "body") -> list[str]:
        """What the schema says against it, and members it does not know."""
        errors = [f"{where}{_path(error.instance_path)}: {error.message[:300]}" for error in self.errors(value)]
        return errors + [f"{where}: {name} is not described" for name in unknown_keys(self.schema, value)]

    def errors(self, value: Any) -> list[Any]:
        """What the validator says."""
        return list(self.validator.iter_errors(value))

    def takes(self, name: str, value: Any) -> bool:
        """Whether the member may have that value, as far as the schema says."""
        probe = {"$ref": "#/$defs/probe", "$defs": {**self.schema["$defs"], "probe": self._property(name)}}
        return bool(jsonschema_rs.Draft202012Validator(probe).is_valid(value))

    def knows(self, name: str) -> bool:
        """Whether it has a property of that name."""
        return not unknown_keys(self.schema, {name: None})

    def _property(self, name: str) -> Any:
        known = alternatives(self.schema, [self.schema])
        found = [part["properties"][name] for part in known if name in part.get("properties", {})]
        return {"anyOf": found} if found else {}


def form_value(checked: Checked, fields: Sequence[FormField]) -> dict[str, Any]:
    """A form as the object that its schema describes: numbers, lists and objects from their texts."""
    value: dict[str, Any] = {}
    lists: dict[str, list[Any]] = {}
    for field in fields:
        name = field.name if checked.knows(field.name) else field.name.removesuffix("[]")
        text = FILE if field.filename or b"\0" in field.data else field.text
        lists.setdefault(name, []).append(text)
    for name, texts in lists.items():
        decoded = [_member_value(checked, name, text) for text in texts]
        if len(decoded) == 1 and checked.takes(name, decoded[0]):
            value[name] = decoded[0]
        else:
            value[name] = [_decode(text) if not checked.takes(name, [text]) else text for text in texts]
    return value


def _member_value(checked: Checked, name: str, text: str) -> Any:
    """The text, or what it stands for where the schema wants no text."""
    return text if checked.takes(name, text) else _decode(text)


def _decoded(checked: Checked, text: str) -> Any:
    return text if checked.validator.is_valid(text) else _decode(text)


def _decode(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _path(steps: Sequence[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
