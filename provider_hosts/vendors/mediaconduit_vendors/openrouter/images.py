"""Images by ``POST /images``: made from words, and from others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from mediaconduit_provider import Call, InvalidRequestError, Output, Usage
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.api import Request
from mediaconduit_vendors.content import USER, Inputs, media_type_of, numbered
from mediaconduit_vendors.openai.images import GptImages, Images, decoded_image
from mediaconduit_vendors.openai.options import Schema
from mediaconduit_vendors.openrouter.chat import units_of
from mediaconduit_vendors.openrouter.options import IMAGE_ROUTING
from mediaconduit_vendors.reply import not_understood
from mediaconduit_vendors.usage import usage_of

MEDIA_TYPES: Final = ("image/png", "image/jpeg", "image/webp", "image/svg+xml")
"""What models make between them."""
_FORMATS: Final = {"image/png": "png", "image/jpeg": "jpeg", "image/webp": "webp", "image/svg+xml": "svg"}
_BEGINNINGS: Final = (
    ("iVBOR", "image/png"),
    ("/9j/", "image/jpeg"),
    ("UklGR", "image/webp"),
    ("PHN2Z", "image/svg+xml"),
)
"""Of images in base64."""
IMAGE_OPTIONS: Final[Mapping[str, Schema]] = {
    **IMAGE_ROUTING,
    "candidates": {"type": "integer", "minimum": 1, "maximum": 10},
    "seed": {"type": "integer"},
    "image.aspect_ratio": {"type": "string"},
    "image.resolution": {"type": "string"},
    "image.quality": {"type": "string"},
    "image.width": {"type": "integer", "minimum": 1},
    "image.height": {"type": "integer", "minimum": 1},
    "extra.background": {"type": "string"},
    "extra.output_compression": {"type": "integer", "minimum": 0, "maximum": 100},
    "extra.provider.options": {"type": "object"},
}
"""What makers of images take between them."""
_PARAMETERS: Final = {
    "n": "candidates",
    "seed": "seed",
    "aspect_ratio": "image.aspect_ratio",
    "resolution": "image.resolution",
    "quality": "image.quality",
    "background": "extra.background",
    "output_compression": "extra.output_compression",
}
"""Options by the parameters that are listed for a model."""


def image_options(entry: Mapping[str, Any]) -> dict[str, Schema]:
    """The options of a model of the list of images."""
    listed = entry.get("supported_parameters") or {}
    found: dict[str, Schema] = {**IMAGE_ROUTING, "extra.provider.options": {"type": "object"}}
    for name, path in _PARAMETERS.items():
        if name in listed:
            found[path] = _schema(path, listed[name] or {})
    if "size" in listed:
        found |= {path: IMAGE_OPTIONS[path] for path in ("image.width", "image.height")}
    return found


def image_types(entry: Mapping[str, Any]) -> Sequence[str]:
    """What a model of the list makes, the default first."""
    formats = (entry.get("supported_parameters") or {}).get("output_format") or {}
    listed = [media_type for media_type, name in _FORMATS.items() if name in (formats.get("values") or ())]
    return listed or MEDIA_TYPES


def _schema(path: str, descriptor: Mapping[str, Any]) -> Schema:
    match descriptor.get("type"):
        case "enum" if values := descriptor.get("values"):
            return {"enum": list(values)}
        case "range":
            limits = {"minimum": descriptor.get("min"), "maximum": descriptor.get("max")}
            return {"type": "integer", **{name: value for name, value in limits.items() if value is not None}}
    return IMAGE_OPTIONS[path]


class RouterImages(GptImages):
    """Images, answered whole."""

    path: ClassVar[str] = "/images"
    options: ClassVar[Mapping[str, Schema]] = IMAGE_OPTIONS
    fields: ClassVar[Mapping[str, str]] = {
        "candidates": "n",
        "seed": "seed",
        "image.aspect_ratio": "aspect_ratio",
        "image.resolution": "resolution",
        "image.quality": "quality",
    }
    places: ClassVar[Mapping[str, str]] = {**Images.places, "input_references": "turns"}
    media_types: ClassVar[Sequence[str]] = MEDIA_TYPES
    streams: ClassVar[bool] = False
    """Whether one image comes in events, with early looks."""

    async def request(self, call: Call) -> Request:
        """The body, with images to go by."""
        body = self.body(call)
        if references := await _references(call):
            body["input_references"] = references
        elif call.capability == "image-to-image":
            raise InvalidRequestError.at("turns", "an image to go by is missing")
        return self.asked(call, json=body)

    def body(self, call: Call) -> dict[str, Any]:
        """What is wanted, in which format."""
        body = Images.body(self, call)
        if call.options.output_media_types:
            body["output_format"] = _FORMATS[call.media_type(*call.model.output_media_types)]
        if self.streams and (call.options.candidates or 1) == 1:
            body["stream"] = True
        return body

    def size(self, call: Call) -> dict[str, Any]:
        """The size wanted; aspect and resolution have fields of their own."""
        image = call.options.image
        if image.aspect_ratio and not (image.HasField("width") or image.HasField("height")):
            return {}
        return super().size(call)

    def read(self, answer: Any, call: Call) -> Iterator[Yielded]:
        """The images of an answer."""
        entries = answer.get("data") if isinstance(answer, Mapping) else None
        if not entries:
            raise not_understood("it holds no images")
        for number, entry in enumerate(entries):
            output = Output(self.media_type(entry, call), candidate=number)
            yield output.data(decoded_image(entry.get("b64_json") or ""))
            yield output.done()

    def media_type(self, answer: Mapping[str, Any], call: Call) -> str:
        """What an image is, as stated, else as it begins."""
        if stated := answer.get("media_type"):
            return str(stated)
        text = answer.get("b64_json") or ""
        return next((found for beginning, found in _BEGINNINGS if text.startswith(beginning)), "image/png")

    def usage(self, answer: Mapping[str, Any], call: Call) -> Usage:
        """Tokens, where there are any, else images, at what OpenRouter charged."""
        usage = answer.get("usage") or {}
        units = units_of(usage)
        if not units["output-image-token"]:
            units["output-image-token"], units["output-token"] = units["output-token"], 0
        counted = units if units["output-image-token"] else {**units, "image": len(answer.get("data") or (1,))}
        return usage_of(counted, call.model.pricing, charged=usage.get("cost"))


class StreamedRouterImages(RouterImages):
    """Images of models that show what they are at, as they come."""

    streams: ClassVar[bool] = True


async def _references(call: Call) -> list[dict[str, Any]]:
    inputs = Inputs(call)
    return [
        {"type": "image_url", "image_url": {"url": await inputs.url(part, field)}}
        for field, turn, part in numbered(call.turns)
        if turn.role in USER and media_type_of(part).startswith("image/")
    ]
