"""Images: made from words, and edited."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, ClassVar, Final

from mediaconduit_provider import Asset, Call, Input, InvalidRequestError, MediaInfo, Notice, Output, Part, Role, Usage
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.content import media_type_of, prompt_of
from mediaconduit_vendors.openai.forms import File, files_of, form
from mediaconduit_vendors.openai.operation import Operation, Outputs, facts_of
from mediaconduit_vendors.openai.options import Schema
from mediaconduit_vendors.options import refused
from mediaconduit_vendors.reply import Reply, lost, not_understood
from mediaconduit_vendors.usage import usage_of

IMAGE_OPTIONS: Final[Mapping[str, Schema]] = {
    "candidates": {"type": "integer", "minimum": 1, "maximum": 10},
    "image.width": {"type": "integer", "minimum": 1},
    "image.height": {"type": "integer", "minimum": 1},
}
"""What all makers of images of this style take."""


class Images(Operation):
    """``POST /images/generations``, answered whole: an image for each candidate."""

    path: ClassVar[str] = "/images/generations"
    options: ClassVar[Mapping[str, Schema]] = IMAGE_OPTIONS
    fields: ClassVar[Mapping[str, str]] = {"candidates": "n", "image.quality": "quality"}
    places: ClassVar[Mapping[str, str]] = {
        "prompt": "turns",
        "image": "turns",
        "mask": "turns",
        "size": "options.image.width",
        "partial_images": "options.image.previews",
        "output_format": "options.output_media_types",
    }
    aspect_ratios: ClassVar[Mapping[str, str]] = {}
    """The size for an aspect ratio, for vendors that take sizes only."""
    media_types: ClassVar[Sequence[str]] = ("image/png",)
    """What it makes."""
    follows: ClassVar[bool] = False
    """Whether it works on what the model made before."""
    asks_for_bytes: ClassVar[bool] = True
    """Whether ``response_format`` is taken: "b64_json", or "url" where the caller wants references."""

    async def __call__(self, api: Api, call: Call) -> Outputs:
        """The images."""
        answer, reply = await api.json(await self.request(call))
        yield facts_of(answer, reply)
        for yielded in self.read(answer, call):
            yield yielded
        yield self.usage(answer, call)

    # -- what is sent -------------------------------------------------------------------------------------------------

    async def request(self, call: Call) -> Request:
        """The request."""
        return self.asked(call, json=self.body(call))

    def body(self, call: Call) -> dict[str, Any]:
        """What is wanted."""
        prompt = prompt_of(call, follows=self.follows)
        body: dict[str, Any] = {"model": self.model_name(call), "prompt": prompt, **self.passed_on(call)}
        if not prompt:
            raise InvalidRequestError.at("turns", "say what the image is to show")
        body |= self.size(call)
        if self.asks_for_bytes:
            body["response_format"] = "url" if call.options.outputs_by_reference else "b64_json"
        return body

    def size(self, call: Call) -> dict[str, Any]:
        """The size wanted, in the vendor's words."""
        image = call.options.image
        if image.aspect_ratio:
            if image.HasField("width") or image.HasField("height"):
                raise InvalidRequestError.at("options.image.aspect_ratio", "excludes width and height")
            return {"size": self.aspect_ratios[image.aspect_ratio]}
        if image.HasField("width") != image.HasField("height"):
            missing = "height" if image.HasField("width") else "width"
            raise InvalidRequestError.at(f"options.image.{missing}", "width and height go together")
        return {"size": f"{image.width}x{image.height}"} if image.HasField("width") else {}

    # -- what comes back ----------------------------------------------------------------------------------------------

    def read(self, answer: Any, call: Call) -> Iterator[Yielded]:
        """The images of an answer."""
        entries = answer.get("data") if isinstance(answer, Mapping) else None
        if not entries:
            raise not_understood("it holds no images")
        media_type, info = self.media_type(answer, call), info_of(answer)
        for number, entry in enumerate(entry or {} for entry in entries):
            if entry.get("revised_prompt"):
                yield Notice(code="PROMPT_REVISED", message=entry["revised_prompt"])
            if entry.get("b64_json"):
                output = Output(media_type, candidate=number)
                yield output.data(decoded_image(entry["b64_json"]))
                yield output.done(info)
            elif entry.get("url"):
                yield Part(asset=Asset(uri=entry["url"], media_type=media_type))
            else:
                raise not_understood("an image has neither bytes nor a URL")

    def media_type(self, answer: Mapping[str, Any], call: Call) -> str:
        """What was made."""
        stated = answer.get("output_format")
        return f"image/{stated}" if stated else call.media_type(*self.media_types)

    def usage(self, answer: Mapping[str, Any], call: Call) -> Usage:
        """Tokens, where the vendor counts them, else images."""
        units = image_tokens(answer.get("usage") or {})
        size, quality = answer.get("size") or self.size(call).get("size"), answer.get("quality")
        facts = {"size": size or "1024x1024", "quality": quality or call.options.image.quality or "standard"}
        return usage_of(units or {"image": len(answer.get("data") or (1,))}, call.model.pricing, facts=facts)


class GptImages(Images):
    """OpenAI's own models: streamed, with early looks, where one image is asked for."""

    options: ClassVar[Mapping[str, Schema]] = {
        **IMAGE_OPTIONS,
        "image.aspect_ratio": {"enum": ["1:1", "3:2", "2:3"]},
        "image.quality": {"enum": ["low", "medium", "high", "auto"]},
        "image.previews": {"type": "integer", "minimum": 0, "maximum": 3},
        "extra.background": {"enum": ["transparent", "opaque", "auto"]},
        "extra.output_compression": {"type": "integer", "minimum": 0, "maximum": 100},
        "extra.moderation": {"enum": ["low", "auto"]},
        "extra.user": {"type": "string"},
    }
    aspect_ratios: ClassVar[Mapping[str, str]] = {"1:1": "1024x1024", "3:2": "1536x1024", "2:3": "1024x1536"}
    media_types: ClassVar[Sequence[str]] = ("image/png", "image/jpeg", "image/webp")
    asks_for_bytes: ClassVar[bool] = False

    async def __call__(self, api: Api, call: Call) -> Outputs:
        """The images, the only one as it becomes clearer."""
        request = await self.request(call)
        call.meter(lambda: usage_of({"image": 1}, call.model.pricing, estimated=True))
        async with api.open(request) as reply:
            yield facts_of(None, reply)
            async with aclosing(self.streamed(reply, call)) as outputs:
                async for yielded in outputs:
                    yield yielded

    def body(self, call: Call) -> dict[str, Any]:
        """What is wanted, in which format, with how many early looks."""
        body = super().body(call)
        body["output_format"] = call.media_type(*self.media_types).removeprefix("image/")
        previews = call.options.image.previews
        if (call.options.candidates or 1) == 1:
            body |= {"stream": True, "partial_images": previews}
        elif previews:
            raise InvalidRequestError.at("options.image.previews", "there are early looks at a single image only")
        return body

    async def streamed(self, reply: Reply, call: Call) -> Outputs:
        """Early looks and the image, as they come; all at once where the vendor did not stream."""
        image: Output | None = None
        done, last = False, {}
        async with aclosing(reply.events()) as events:
            async for _, event in events:
                last = event
                if "data" in event and "type" not in event:
                    for yielded in self.read(event, call):
                        yield yielded
                    done = True
                elif event.get("b64_json"):
                    if image is None:
                        image = Output(self.media_type(event, call))
                        yield image
                    done = (event.get("type") or "").endswith(".completed")
                    part = image if done else Output(self.media_type(event, call), preview_of=image)
                    yield part.data(decoded_image(event["b64_json"]))
                    yield part.done(info_of(event))
                elif event.get("error") or event.get("type") == "error":
                    raise reply.failure(event)
        if not done:
            raise lost()
        yield self.usage(last, call)


class _Edits(Images):
    """``POST /images/edits``: a form with the images."""

    path: ClassVar[str] = "/images/edits"
    follows: ClassVar[bool] = True
    image_field: ClassVar[str] = "image"

    async def request(self, call: Call) -> Request:
        """A form: the main inputs, or what the model made last, are the images, "mask" is the mask."""
        images = images_of(call)
        if not images:
            raise InvalidRequestError.at("turns", "an image to edit is missing")
        name = self.image_field if len(images) == 1 else f"{self.image_field}[]"
        files: list[File] = [(name, image) for image in images]
        files += [("mask", mask) for mask in call.inputs("mask")]
        return self.asked(call, data=form(self.body(call)), files=await files_of(files))


class ImageEdits(_Edits):
    """Edits, answered whole."""


class GptImageEdits(_Edits, GptImages):
    """Edits by OpenAI's own models."""

    options: ClassVar[Mapping[str, Schema]] = {
        **{path: schema for path, schema in GptImages.options.items() if path != "extra.moderation"},
        "extra.input_fidelity": {"enum": ["low", "high"]},
    }


class ImagesOrEdits:
    """One model that makes images, and edits those that come with what is wanted.

    Args:
        images: The one.
        edits: The other.
    """

    def __init__(self, images: Images, edits: Images) -> None:
        self._images = images
        self._edits = edits
        self.options: Mapping[str, Schema] = {**images.options, **edits.options}

    async def __call__(self, api: Api, call: Call) -> Outputs:
        """As the two do."""
        edit = call.capability.startswith("image-") or bool(images_of(call))
        operation = self._edits if edit else self._images
        foreign = [path for path in self.options if path not in operation.options and call.option(path) is not None]
        for notice in refused(call, foreign, f"is not taken by {operation.path}"):
            yield notice
        async with aclosing(operation(api, call)) as work:
            async for yielded in work:
                yield yielded


def images_of(call: Call) -> Sequence[Input | Part]:
    """The images to work on: those that the caller sends, else those of the model's last turn."""
    sent = [*(given for given in call.inputs() if given.media_type.startswith("image/")), *call.inputs("reference")]
    if sent:
        return sent
    made = [turn for turn in call.turns if turn.role == Role.ROLE_ASSISTANT]
    return [part for part in made[-1].parts if media_type_of(part).startswith("image/")] if made else []


def decoded_image(text: str) -> bytes:
    """Bytes from base64. Raises `InternalError`, VENDOR_PROTOCOL."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise not_understood("an image is not in base64") from error


def info_of(answer: Mapping[str, Any]) -> MediaInfo | None:
    """Width and height, where the vendor says them ("1024x1536")."""
    width, cross, height = str(answer.get("size") or "").partition("x")
    if cross and width.isdigit() and height.isdigit():
        return MediaInfo(width=int(width), height=int(height))
    return None


def image_tokens(usage: Mapping[str, Any]) -> dict[str, int]:
    """Counts by unit: tokens of words and of images are priced apart."""
    read, written = usage.get("input_tokens_details") or {}, usage.get("output_tokens_details") or {}
    seen, drawn = read.get("image_tokens") or 0, written.get("image_tokens")
    output = usage.get("output_tokens") or 0
    units = {
        "input-token": max(0, (usage.get("input_tokens") or 0) - seen),
        "input-image-token": seen,
        "output-image-token": output if drawn is None else drawn,
        "output-token": 0 if drawn is None else max(0, output - drawn),
    }
    return units if any(units.values()) else {}
