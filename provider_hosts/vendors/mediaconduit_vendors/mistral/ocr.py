"""Text of documents and images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from mediaconduit_provider import Call, InvalidRequestError, Output, Part, Usage
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.api import Api
from mediaconduit_vendors.content import USER, Inputs, media_type_of, numbered, parsed_schema, text_in
from mediaconduit_vendors.openai.images import decoded_image
from mediaconduit_vendors.openai.operation import Operation, Outputs, facts_of
from mediaconduit_vendors.openai.options import Schema
from mediaconduit_vendors.reply import not_understood
from mediaconduit_vendors.usage import usage_of

_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
DOCUMENTS: Final = (
    "application/pdf",
    f"{_OFFICE}.wordprocessingml.document",
    f"{_OFFICE}.presentationml.presentation",
)
"""What is read beside images."""
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
OPTIONS: Final[Mapping[str, Schema]] = {
    "text.json_schema": {"type": "string"},
    "extra.pages": {
        "anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": _COUNT, "minItems": 1}],
    },
    "extra.include_image_base64": {"type": "boolean"},
    "extra.image_limit": _COUNT,
    "extra.image_min_size": _COUNT,
    "extra.table_format": {"enum": ["markdown", "html"]},
    "extra.extract_header": {"type": "boolean"},
    "extra.extract_footer": {"type": "boolean"},
    "extra.bbox_annotation_format": {"type": "object", "required": ["type"]},
}
"""What it takes."""


class Ocr(Operation):
    """``POST /ocr``: a document in, its pages as Markdown out; or, by a schema, what is to be known of it."""

    path: ClassVar[str] = "/ocr"
    options: ClassVar[Mapping[str, Schema]] = OPTIONS
    places: ClassVar[Mapping[str, str]] = {
        "document": "turns",
        "document_annotation_format": "options.text.json_schema",
        "document_annotation_prompt": "turns",
    }

    async def __call__(self, api: Api, call: Call) -> Outputs:
        """The text."""
        answer, reply = await api.json(self.asked(call, json=await self.body(call)))
        yield facts_of(answer, reply)
        try:
            made = list(read(answer, wanted=bool(call.options.text.json_schema)))
        except (AttributeError, KeyError, TypeError) as error:
            raise not_understood("it holds no pages") from error
        for yielded in made:
            yield yielded
        yield self.usage(answer, call)

    async def body(self, call: Call) -> dict[str, Any]:
        """What is sent."""
        body: dict[str, Any] = {
            "model": self.model_name(call),
            "document": await _document(call),
            **self.passed_on(call),
        }
        schema = call.options.text.json_schema
        if words := _words(call):
            if not schema:
                raise InvalidRequestError.at("turns", "instructions are taken together with text.json_schema only")
            body["document_annotation_prompt"] = words
        if schema:
            parsed = parsed_schema(schema, "options.text.json_schema")
            if not parsed:
                raise InvalidRequestError.at("options.text.json_schema", "must say what is to be known here")
            described = {"name": "answer", "schema": parsed, "strict": True}
            body["document_annotation_format"] = {"type": "json_schema", "json_schema": described}
        return body

    def usage(self, answer: Mapping[str, Any], call: Call) -> Usage:
        """Pages; those that were not only read cost more."""
        used = answer.get("usage_info") or {}
        pages = used.get("pages_processed") or len(answer.get("pages") or ())
        more = call.options.text.json_schema or call.option("extra.bbox_annotation_format")
        return usage_of({"annotated-page" if more else "page": pages}, call.model.pricing)


def read(answer: Mapping[str, Any], *, wanted: bool) -> Iterator[Yielded]:
    """Outputs of an answer: what was to be known, else the pages; then the images that were cut out."""
    pages = answer["pages"]
    if wanted:
        yield Output("application/json").text(answer.get("document_annotation") or "null")
    for number, page in enumerate(pages):
        if not wanted:
            yield ("\n\n" if number else "") + page_text(page)
        for image in page.get("images") or ():
            if encoded := image.get("image_base64"):
                yield from _image(encoded, image.get("id") or "")


def page_text(page: Mapping[str, Any]) -> str:
    """A page as Markdown, with its tables where they belong."""
    text: str = page["markdown"]
    for table in page.get("tables") or ():
        name = table["id"]
        text = text.replace(f"[{name}]({name})", table["content"])
    parts = (page.get("header") or "", text, page.get("footer") or "")
    return "\n\n".join(filter(None, parts))


def _image(encoded: str, name: str) -> Iterator[Yielded]:
    head, comma, data = encoded.partition(",")
    media_type = head.removeprefix("data:").partition(";")[0] if comma else ""
    output = Output(media_type or "image/jpeg", name=name)
    yield output.data(decoded_image(data if comma else encoded))
    yield output.done()


async def _document(call: Call) -> dict[str, Any]:
    """The one document."""
    found = [(field, part) for field, turn, part in numbered(call.turns) if turn.role in USER and _is_document(part)]
    if not found:
        raise InvalidRequestError.at("turns", "a document or an image to read is missing")
    if len(found) > 1:
        raise InvalidRequestError.at(found[1][0], "one document is read at a time")
    [(field, part)] = found
    url = await Inputs(call).url(part, field)
    kind = "image_url" if media_type_of(part).startswith("image/") else "document_url"
    return {"type": kind, kind: url}


def _is_document(part: Part) -> bool:
    return not part.HasField("text")


def _words(call: Call) -> str:
    texts = [text_in(part) for _, turn, part in numbered(call.turns) if turn.role in USER and not _is_document(part)]
    return "\n\n".join(filter(None, [call.system, *texts]))
