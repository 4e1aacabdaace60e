"""How requests are checked against a vendor's description."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mediaconduit_vendors.testing import Request

from tests.support.vendors.descriptions import Description, NotDescribedError

SCHEMAS: dict[str, Any] = {
    "Chat": {
        "type": "object",
        "required": ["model"],
        "properties": {
            "model": {"type": "string"},
            "seed": {"type": "integer", "nullable": True},
            "voice": {"$ref": "#/components/schemas/Voice", "nullable": True},
            "share": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
            "part": {
                "oneOf": [{"$ref": "#/components/schemas/Text"}, {"$ref": "#/components/schemas/Image"}],
                "discriminator": {
                    "propertyName": "type",
                    "mapping": {"text": "#/components/schemas/Text", "image": "#/components/schemas/Image"},
                },
            },
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    },
    "Voice": {"type": "string", "enum": ["alloy"]},
    "Text": {"type": "object", "properties": {"type": {"type": "string"}, "text": {"type": "string"}}},
    "Image": {"type": "object", "properties": {"type": {"type": "string"}, "url": {"type": "string"}}},
}
FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "temperature": {"type": "number"},
        "stream": {"type": "boolean"},
        "include": {"type": "array", "items": {"type": "string", "enum": ["logprobs"]}},
        "language": {"type": "string"},
    },
}


def described(version: str = "3.0.3") -> Description:
    chat = {"requestBody": {"required": True, "content": {"application/json": {"schema": _ref("Chat")}}}}
    query = [
        {"name": "api-version", "in": "query", "required": True, "schema": {"type": "string"}},
        {"name": "limit", "in": "query", "schema": {"type": "integer"}},
    ]
    return Description(
        {
            "openapi": version,
            "servers": [{"url": "https://api.example.com/v1"}],
            "components": {"schemas": SCHEMAS},
            "paths": {
                "/chat": {"post": chat},
                "/chat?beta=true": {"post": {}},
                "/models": {"get": {"parameters": query}},
                "/models/{model}:generate": {"post": chat},
                "/models/{model}": {"get": {}},
                "/files": {"post": {"requestBody": {"content": {"multipart/form-data": {"schema": FORM}}}}},
            },
        }
    )


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def request(target: str, body: Any = None, method: str = "POST") -> Request:
    content = b"" if body is None else json.dumps(body).encode()
    return Request(method, target, [("content-type", "application/json")], content, 0, 0)


def form(*fields: tuple[str, str], file: bool = True) -> Request:
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{text}' for name, text in fields]
    parts += ['Content-Disposition: form-data; name="file"; filename="a"\r\n\r\n\x00'] if file else []
    body = "".join(f"--X\r\n{part}\r\n" for part in parts) + "--X--\r\n"
    return Request("POST", "/v1/files", [("content-type", "multipart/form-data; boundary=X")], body.encode(), 0, 0)


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize(
    "body",
    [
        {"model": "m"},
        {"model": "m", "seed": None, "voice": None},
        {"model": "m", "seed": 1, "voice": "alloy", "share": 0.1},
        {"model": "m", "part": {"type": "text", "text": "hi"}},
        {"model": "m", "labels": {"any": "thing"}},
    ],
)
def test_a_good_body_passes(body: Any, version: str) -> None:
    assert described(version).problems(request("/v1/chat", body)) == []


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "model"),
        ([], "object"),
        ({"model": 1}, "body.model"),
        ({"model": "m", "seed": "1"}, "body.seed"),
        ({"model": "m", "voice": "other"}, "body.voice"),
        ({"model": "m", "share": 0}, "body.share"),
        ({"model": "m", "part": {"type": "other", "text": "hi"}}, "body.part"),
        ({"model": "m", "part": {"type": "text", "url": "hi"}}, "part.url is not described"),
        ({"model": "m", "labels": {"any": 1}}, "body.labels.any"),
        ({"model": "m", "modle": "m"}, "modle is not described"),
    ],
)
def test_a_bad_body_is_refused(body: Any, says: str, version: str) -> None:
    problems = described(version).problems(request("/v1/chat", body))
    assert any(says in problem for problem in problems), problems


def test_paths_and_queries_say_which_operation_it_is() -> None:
    api = described()
    assert api.problems(request("/v1/chat?beta=true")) == []
    assert api.problems(request("/v1/models/m:generate", {"model": "m"})) == []
    assert api.problems(request("/v1/models/a%2Fb", method="GET")) == []
    with pytest.raises(NotDescribedError, match="/v1/other"):
        api.problems(request("/v1/other"))
    with pytest.raises(NotDescribedError):
        api.problems(request("/chat", {"model": "m"}))


@pytest.mark.parametrize(
    ("query", "problems"),
    [
        ("api-version=1&limit=2", []),
        ("limit=2", ["query api-version: missing"]),
        ("api-version=1&other=2", ["query other: not described"]),
        ("api-version=1&limit=many", ['query limit: "many" is not of type "integer"']),
    ],
)
def test_queries_are_checked(query: str, problems: list[str]) -> None:
    assert described().problems(request(f"/v1/models?{query}", method="GET")) == problems


def test_a_body_is_wanted_where_one_is_described_and_only_there() -> None:
    assert described().problems(request("/v1/chat")) == ["no body"]
    assert described().problems(request("/v1/models/m", {"a": 1}, "GET")) == ["a body where none is described"]
    odd = Request("POST", "/v1/chat", [("content-type", "text/plain")], b"hi", 0, 0)
    assert "text/plain" in described().problems(odd)[0]


def test_fields_of_a_form_are_read_as_the_schema_wants_them() -> None:
    api = described()
    good = form(("temperature", "0.5"), ("stream", "true"), ("language", "1"), ("include[]", "logprobs"))
    assert api.problems(good) == []
    assert "temperature" in api.problems(form(("temperature", "warm")))[0]
    assert "include" in api.problems(form(("include[]", "other")))[0]
    assert "file" in api.problems(form(file=False))[0]
    assert api.problems(form(("lang", "de"))) == ["body: lang is not described"]


def test_a_description_that_would_take_anything_is_found_out() -> None:
    assert described().refuses_mutations(request("/v1/chat", {"model": "m"}))
    assert described().refuses_mutations(form(("language", "de")))
    free = Description({"paths": {"/a": {"post": {"requestBody": {"content": {"application/json": {"schema": {}}}}}}}})
    assert not free.refuses_mutations(request("/a", {"model": "m"}))
