"""Images, video and speech."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, ClassVar, Final
from urllib.parse import quote

from mediaconduit.errors import InvalidRequestError
from mediaconduit_provider import Call, Facts, MediaInfo, Usage
from mediaconduit_provider.outputs import Yielded
from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.content import Inputs, media_type_of, numbered, prompt_of
from mediaconduit_vendors.fetched import fetched
from mediaconduit_vendors.jobs import Job, Look, Submitted
from mediaconduit_vendors.openai.images import Images
from mediaconduit_vendors.openai.operation import Operation, facts_of
from mediaconduit_vendors.openai.speech import Speech
from mediaconduit_vendors.options import Schema
from mediaconduit_vendors.pcm import rate_of
from mediaconduit_vendors.reply import not_understood
from mediaconduit_vendors.usage import usage_of

_RATIOS: Final = ["1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "2:1", "1:2", "auto"]


async def media_of(call: Call, kind: str) -> list[str]:
    """The main inputs of a kind ("image/"), as URLs xAI takes: the caller's own, else data URLs."""
    inputs = Inputs(call)
    return [
        await inputs.url(part, field)
        for field, _, part in numbered(call.turns)
        if not part.HasField("text") and media_type_of(part).startswith(kind)
    ]


class GrokImages(Images):
    """``POST /images/generations``."""

    options: ClassVar[Mapping[str, Schema]] = {
        "candidates": {"type": "integer", "minimum": 1, "maximum": 10},
        "image.aspect_ratio": {"enum": [*_RATIOS, "19.5:9", "9:19.5", "20:9", "9:20"]},
        "image.resolution": {"enum": ["1k", "2k"]},
    }
    fields: ClassVar[Mapping[str, str]] = {
        "candidates": "n",
        "image.aspect_ratio": "aspect_ratio",
        "image.resolution": "resolution",
    }
    media_types: ClassVar[Sequence[str]] = ("image/jpeg",)

    def size(self, call: Call) -> dict[str, Any]:
        """By ratio and resolution, which are passed on."""
        return {}


class GrokImageEdits(GrokImages):
    """``POST /images/edits``: the images go along as JSON."""

    path: ClassVar[str] = "/images/edits"
    options: ClassVar[Mapping[str, Schema]] = {
        "image.aspect_ratio": {"enum": _RATIOS},
        "image.resolution": {"enum": ["1k", "2k"]},
    }

    async def request(self, call: Call) -> Request:
        """The prompt and the images."""
        images = [{"type": "image_url", "url": url} for url in await media_of(call, "image/")]
        if not images:
            raise InvalidRequestError.at("turns", "an image to edit is missing")
        given = {"image": images[0]} if len(images) == 1 else {"images": images}
        return self.asked(call, json=self.body(call) | given)


class GrokVideos(Job, Operation):
    """``POST /videos/generations`` and what follows. xAI has no request to stop one that is under way."""

    path: ClassVar[str] = "/videos/generations"
    options: ClassVar[Mapping[str, Schema]] = {
        "video.duration": {"type": "integer", "minimum": 1, "maximum": 15},
        "video.frame.aspect_ratio": {"enum": ["1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3"]},
        "video.frame.resolution": {"enum": ["480p", "720p"]},
    }
    fields: ClassVar[Mapping[str, str]] = {
        "video.duration": "duration",
        "video.frame.aspect_ratio": "aspect_ratio",
        "video.frame.resolution": "resolution",
    }
    places: ClassVar[Mapping[str, str]] = {"prompt": "turns", "image_url": "turns", "video_url": "turns"}

    async def submit(self, api: Api, call: Call) -> Submitted:
        """Hands the work in."""
        answer, reply = await api.json(self.asked(call, json=await self.body(call)))
        job_id = answer.get("request_id") if isinstance(answer, Mapping) else None
        if not job_id:
            raise not_understood("it holds no id of the video")
        call.meter(lambda: self.usage({}, call))  # charged when it is done, whether or not anyone waits
        return Submitted(str(job_id), Facts(vendor_request_id=reply.request_id))

    async def body(self, call: Call) -> dict[str, Any]:
        """What is wanted."""
        body = {"model": self.model_name(call), "prompt": prompt_of(call), **self.passed_on(call)}
        if not body["prompt"]:
            raise InvalidRequestError.at("turns", "say what the video is to show")
        for kind, name in (("image/", "image_url"), ("video/", "video_url")):
            found = await media_of(call, kind)
            if len(found) > 1:
                raise InvalidRequestError.at("turns", f"one {kind[:-1]} is taken")
            if found:
                body[name] = found[0]
        return body

    async def look(self, api: Api, call: Call, job_id: str) -> Look:
        """How it stands."""
        answer, reply = await api.json(Request("GET", f"/videos/{quote(job_id, safe='')}", remaining=call.remaining()))
        status = answer.get("status") or ("done" if answer.get("video") else "pending")
        if status in ("failed", "expired"):
            error = answer.get("error") or {"message": f"the video {status}", "code": "server_error"}
            return Look(stage=status, failed=reply.failure({"error": error}))
        return Look(done=status == "done", answer=answer, stage=status, facts=facts_of(answer, reply))

    async def deliver(self, api: Api, call: Call, look: Look) -> AsyncGenerator[Yielded, None]:
        """The video: as it is fetched, or where it is."""
        video = look.answer.get("video") or {}
        if not (url := video.get("url")):
            raise not_understood("it holds no video")
        info = MediaInfo()
        info.duration.FromSeconds(video.get("duration") or 0)
        async with aclosing(fetched(api, call, url, "video/mp4", info)) as outputs:
            async for output in outputs:
                yield output
        yield self.usage(video, call)

    def usage(self, video: Mapping[str, Any], call: Call) -> Usage:
        """What was made, by its length."""
        seconds = video.get("duration") or call.option("video.duration") or 0
        facts = {"resolution": call.options.video.frame.resolution or "480p"}
        return usage_of({"video-millisecond": seconds * 1000}, call.model.pricing, facts=facts)


class GrokSpeech(Speech):
    """``POST /tts``."""

    path: ClassVar[str] = "/tts"
    options: ClassVar[Mapping[str, Schema]] = {
        "audio.voice": {"type": "string"},
        "audio.language": {"type": "string"},
        "extra.text_normalization": {"type": "boolean"},
    }
    fields: ClassVar[Mapping[str, str]] = {"audio.voice": "voice_id", "audio.language": "language"}
    places: ClassVar[Mapping[str, str]] = {"text": "turns", "output_format": "options.output_media_types"}
    formats: ClassVar[Mapping[str, str]] = {
        "audio/mpeg": "mp3",
        "audio/wav": "wav",
        **{f"audio/L16; rate={rate}; channels=1": "pcm" for rate in (24000, 8000, 16000, 22050, 44100, 48000)},
        "audio/basic": "mulaw",
        "audio/PCMA; rate=8000": "alaw",
    }

    def body(self, call: Call, text: str, media_type: str) -> dict[str, Any]:
        """What is sent. xAI finds out the language by itself when it is "auto"."""
        codec = self.formats[media_type]
        rate = {"pcm": rate_of(media_type, 24000), "mulaw": 8000, "alaw": 8000}.get(codec)
        output = {"codec": codec, **({"sample_rate": rate} if rate else {})}
        return {"text": text, "language": "auto", "output_format": output, **self.passed_on(call)} | self._voice(call)

    def _voice(self, call: Call) -> dict[str, str]:
        voice = call.options.audio.voice
        return {"voice_id": voice.rpartition("/voices/")[2]} if voice else {}
