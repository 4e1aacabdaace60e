"""What is read from a recorded request."""

from __future__ import annotations

import pytest
from mediaconduit_vendors.testing.requests import FormField, Request, parse_multipart

BODY = (
    b'--XX\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n'
    b'--XX\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
    b"\r\n\x00--X\r\n\r\n--XX--\r\n"
)


def request(target: str = "/", body: bytes = b"", content_type: str = "") -> Request:
    return Request("POST", target, [("content-type", content_type), ("x-a", "1"), ("x-a", "2")], body, 0, 0)


def test_target_and_headers_are_taken_apart() -> None:
    found = request("/v1/models/a%2Fb?alt=sse&x=&x=%C3%BC", content_type="application/JSON; charset=utf-8")
    assert (found.path, found.query) == ("/v1/models/a/b", [("alt", "sse"), ("x", ""), ("x", "ü")])
    assert (found.media_type, found.header("X-A"), found.header("none", "-")) == ("application/json", "1, 2", "-")


def test_fields_of_a_multipart_form_keep_every_byte() -> None:
    found = request(body=BODY, content_type="multipart/form-data; boundary=XX")
    assert found.form == [
        FormField("model", b"whisper"),
        FormField("file", b"\r\n\x00--X\r\n", "a.wav", "audio/wav"),
    ]
    assert found.field("model").text == "whisper"
    with pytest.raises(KeyError):
        found.field("other")


def test_fields_of_a_url_encoded_form() -> None:
    found = request(body=b"a=1&b=%C3%BC", content_type="application/x-www-form-urlencoded")
    assert [(field.name, field.text) for field in found.form] == [("a", "1"), ("b", "ü")]


@pytest.mark.parametrize(
    ("body", "content_type", "says"),
    [
        (BODY, "multipart/form-data", "boundary"),
        (BODY[:-4], "multipart/form-data; boundary=XX", "closing"),
        (b"", "multipart/form-data; boundary=XX", "closing"),
        (b"--XX\r\nX: y\r\n\r\n\r\n--XX--", "multipart/form-data; boundary=XX", "content-disposition"),
        (b"--XX\r\nContent-Disposition: form-data\r\n\r\n\r\n--XX--", "multipart/form-data; boundary=XX", "name"),
        (b"--XX\r\nbroken\r\n--XX--", "multipart/form-data; boundary=XX", "headers"),
    ],
)
def test_a_malformed_form_is_refused(body: bytes, content_type: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_multipart(body, content_type)


def test_a_body_that_is_no_form_has_no_fields() -> None:
    with pytest.raises(ValueError, match="application/json"):
        _ = request(body=b"{}", content_type="application/json").form
