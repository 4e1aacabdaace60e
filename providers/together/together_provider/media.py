"""Images and video."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, ClassVar, Final
from urllib.parse import quote

from mediaconduit.errors import InvalidRequestError
from mediaconduit.v1.options_pb2 import VideoEdit
from mediaconduit_provider import Call, Input, MediaInfo, Usage
from mediaconduit_provider.outputs import Yielded
from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.content import data_url, prompt_of
from mediaconduit_vendors.fetched import fetched
from mediaconduit_vendors.jobs import Job, Look, Submitted
from mediaconduit_vendors.openai.images import Images, info_of
from mediaconduit_vendors.openai.operation import Operation, facts_of
from mediaconduit_vendors.options import Schema
from mediaconduit_vendors.reply import not_understood
from mediaconduit_vendors.usage import usage_of

_SIZE: Final[Schema] = {"type": "integer", "minimum": 1}


async def urls(inputs: Sequence[Input], kind: str) -> list[str]:
    """Inputs of a kind ("image/") as URLs: the caller's own, else data URLs.

    Raises:
        InvalidRequestError: One is a reference that Together cannot follow.
    """
    return [await _url(given) for given in inputs if given.media_type.startswith(kind)]


async def _url(given: Input) -> str:
    if not given.uri:
        return data_url(await given.read(), given.media_type)
    if given.uri.startswith("https://"):
        return given.uri
    raise InvalidRequestError.at(given.field, "send the content itself, or where it is by https")


class TogetherImages(Images):
    """``POST /v1/images/generations``; images to start from go along by URL."""

    options: ClassVar[Mapping[str, Schema]] = {
        "seed": {"type": "integer"},
        "candidates": {"type": "integer", "minimum": 1},
        "image.width": _SIZE,
        "image.height": _SIZE,
        "image.steps": _SIZE,
        "image.guidance_scale": {"type": "number"},
        "image.negative_prompt": {"type": "string"},
        "extra.disable_safety_checker": {"type": "boolean"},
        "extra.image_loras": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "scale"],
                "additionalProperties": False,
                "properties": {"path": {"type": "string"}, "scale": {"type": "number"}},
            },
        },
    }
    fields: ClassVar[Mapping[str, str]] = {
        "seed": "seed",
        "candidates": "n",
        "image.width": "width",
        "image.height": "height",
        "image.steps": "steps",
        "image.guidance_scale": "guidance_scale",
        "image.negative_prompt": "negative_prompt",
    }
    places: ClassVar[Mapping[str, str]] = {
        "prompt": "turns",
        "image_url": "turns",
        "reference_images": "turns",
        "output_format": "options.output_media_types",
        "response_format": "options.outputs_by_reference",
    }
    media_types: ClassVar[Sequence[str]] = ("image/jpeg", "image/png")
    asks_for_bytes: ClassVar[bool] = False

    async def request(self, call: Call) -> Request:
        """What is wanted, and the images: a single one is worked on, several and references show how it is to look."""
        body = self.body(call)
        body["response_format"] = "url" if call.options.outputs_by_reference else "base64"
        body["output_format"] = call.media_type(*self.media_types).removeprefix("image/")
        images = await urls(call.inputs(), "image/")
        if call.capability.startswith("image-") and not images and not call.inputs("reference"):
            raise InvalidRequestError.at("turns", "an image to work on is missing")
        references = await urls(call.inputs("reference"), "image/")
        if len(images) == 1:
            body["image_url"] = images[0]
        else:
            references = [*images, *references]
        if references:
            body["reference_images"] = references
        return self.asked(call, json=body)

    def size(self, call: Call) -> dict[str, Any]:
        """Width and height are passed on."""
        return {}

    def read(self, answer: Any, call: Call) -> Iterator[Yielded]:
        """The images of an answer, in their order."""
        if isinstance(answer, Mapping) and isinstance(answer.get("data"), list):
            entries = [entry for entry in answer["data"] if isinstance(entry, Mapping)]
            answer = {**answer, "data": sorted(entries, key=lambda entry: entry.get("index") or 0)}
        yield from super().read(answer, call)


class TogetherVideos(Job, Operation):
    """``POST /v2/videos`` and what follows. Together has no request to stop one that is under way."""

    path: ClassVar[str] = "/v2/videos"
    options: ClassVar[Mapping[str, Schema]] = {
        "seed": {"type": "integer"},
        "video.duration": {"type": "number", "exclusiveMinimum": 0},
        "video.frame_rate": {"type": "integer", "minimum": 1},
        "video.sound": {"type": "boolean"},
        "video.edit": {"enum": list(VideoEdit.keys())},
        "video.frame.width": _SIZE,
        "video.frame.height": _SIZE,
        "video.frame.aspect_ratio": {"type": "string"},
        "video.frame.resolution": {"type": "string"},
        "video.frame.negative_prompt": {"type": "string"},
        "video.frame.steps": {"type": "integer", "minimum": 10, "maximum": 50},
        "video.frame.guidance_scale": {"type": "integer"},
        "extra.output_quality": {"type": "integer"},
    }
    fields: ClassVar[Mapping[str, str]] = {
        "seed": "seed",
        "video.sound": "generate_audio",
        "video.frame.width": "width",
        "video.frame.height": "height",
        "video.frame.aspect_ratio": "ratio",
        "video.frame.resolution": "resolution",
        "video.frame.negative_prompt": "negative_prompt",
        "video.frame.steps": "steps",
    }
    places: ClassVar[Mapping[str, str]] = {
        "prompt": "turns",
        "media": "turns",
        "seconds": "options.video.duration",
        "fps": "options.video.frame_rate",
        "guidance_scale": "options.video.frame.guidance_scale",
        "output_format": "options.output_media_types",
    }
    formats: ClassVar[Mapping[str, str]] = {"video/mp4": "MP4", "video/webm": "WEBM"}

    async def submit(self, api: Api, call: Call) -> Submitted:
        """Hands the work in."""
        answer, reply = await api.json(self.asked(call, json=await self.body(call)))
        job_id = answer.get("id") if isinstance(answer, Mapping) else None
        if not job_id:
            raise not_understood("it holds no id of the video")
        call.meter(lambda: self.usage(answer, call))  # charged when it is done, whether or not anyone waits
        return Submitted(str(job_id), facts_of(answer, reply))

    async def body(self, call: Call) -> dict[str, Any]:
        """What is wanted."""
        body: dict[str, Any] = {"model": self.model_name(call), **self.passed_on(call)}
        media = await media_of(call)
        if prompt := prompt_of(call):
            body["prompt"] = prompt
        elif not media:
            raise InvalidRequestError.at("turns", "say what the video is to show")
        if call.options.output_media_types:
            body["output_format"] = self.formats[call.media_type(*self.formats)]
        if seconds := call.option("video.duration"):
            body["seconds"] = f"{seconds:g}"
        for path, name in (("video.frame_rate", "fps"), ("video.frame.guidance_scale", "guidance_scale")):
            if (value := call.option(path)) is not None:
                body[name] = int(value)
        return body | ({"media": media} if media else {})

    async def look(self, api: Api, call: Call, job_id: str) -> Look:
        """How it stands."""
        path = f"{self.path}/{quote(job_id, safe='')}"
        answer, reply = await api.json(Request("GET", path, remaining=call.remaining()))
        if not isinstance(answer, Mapping) or not answer.get("status"):
            raise not_understood("it does not say how the video stands")
        status = str(answer["status"])
        if status in ("failed", "cancelled"):
            error = answer.get("error") or {"message": f"the video {status}", "code": "server_error"}
            return Look(stage=status, failed=reply.failure({"error": error}))
        return Look(done=status == "completed", answer=answer, stage=status, facts=facts_of(answer, reply))

    async def deliver(self, api: Api, call: Call, look: Look) -> AsyncGenerator[Yielded, None]:
        """The video: as it is fetched, or where it is."""
        answer = look.answer
        if not (url := (answer.get("outputs") or {}).get("video_url")):
            raise not_understood("it holds no video")
        media_type, info = call.media_type(*self.formats), info_of(answer) or MediaInfo()
        info.duration.FromMilliseconds(_milliseconds(answer, call))
        async with aclosing(fetched(api, call, url, media_type, info)) as outputs:
            async for output in outputs:
                yield output
        yield self.usage(answer, call)

    def usage(self, answer: Mapping[str, Any], call: Call) -> Usage:
        """What was made, by its length, at what Together charged (US dollars)."""
        charged = (answer.get("outputs") or {}).get("cost")
        facts = {"size": size} if (size := answer.get("size")) else None
        units = {"video-millisecond": _milliseconds(answer, call)}
        return usage_of(units, call.model.pricing, charged=charged, facts=facts)


async def media_of(call: Call) -> dict[str, Any]:
    """What the video is made from: its frames, what it is to look and sound like, videos to change or to go on from."""
    frames = [(url, "first") for url in await urls([*call.inputs(), *call.inputs("first-frame")], "image/")]
    if len(frames) > 1:
        raise InvalidRequestError.at("turns", 'one first frame is taken; name others "last-frame" or "reference"')
    frames += [(url, "last") for url in await urls(call.inputs("last-frame"), "image/")]
    videos = await urls(call.inputs(), "video/")
    extends = call.options.video.edit == VideoEdit.VIDEO_EDIT_EXTEND
    changes = call.capability == "video-to-video" or call.options.video.edit == VideoEdit.VIDEO_EDIT_CHANGE
    if (extends or changes) and not videos:
        raise InvalidRequestError.at("turns", "a video to work on is missing")
    if len(videos) > 1 and not extends:
        raise InvalidRequestError.at("turns", 'one video is changed; name others "reference"')
    references = call.inputs("reference")
    media: dict[str, Any] = {
        "frame_images": [{"input_image": url, "frame": frame} for url, frame in frames],
        "frame_videos": [{"video": url} for url in videos] if extends else [],
        "source_video": videos[0] if videos and not extends else None,
        "reference_images": await urls(references, "image/"),
        "reference_videos": [{"video": url} for url in await urls(references, "video/")],
        "audio_inputs": await urls(call.inputs("audio"), "audio/"),
    }
    return {name: value for name, value in media.items() if value}


def _milliseconds(answer: Mapping[str, Any], call: Call) -> int:
    """Of the video: as Together says, else as was asked for; 0 = not known."""
    try:
        return round(float(answer.get("seconds") or call.option("video.duration") or 0) * 1000)
    except (TypeError, ValueError):
        return round(float(call.option("video.duration") or 0) * 1000)
