"""Video, which takes minutes: ``:predictLongRunning``, and the operation it gives.

The published description has no such method any more; its form is that of Google's SDK google-genai 1.50.0
(``_GenerateVideosParameters_to_mldev``). A model is asked so where the vendor lists it with this method.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

from mediaconduit.v1.options_pb2 import VideoEdit
from mediaconduit_provider import Call, Facts, InputSpec, InvalidRequestError, Output, Part
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.content import USER, Inputs, media_type_of, numbered, prompt_of, state_from, state_of
from mediaconduit_vendors.gemini.generate import asked
from mediaconduit_vendors.gemini.reading import refused
from mediaconduit_vendors.jobs import Job, Look, Submitted
from mediaconduit_vendors.options import Schema, place
from mediaconduit_vendors.usage import usage_of

INPUTS: Final = (
    InputSpec(media_types=("text/*", "image/jpeg", "image/png", "video/mp4")),
    InputSpec("first-frame", ("image/jpeg", "image/png")),
    InputSpec("last-frame", ("image/jpeg", "image/png")),
    InputSpec("reference", ("image/jpeg", "image/png"), max_count=3),
)
"""What it takes. The main image is the first frame; a video is one that a model of the vendor's made."""
OPTIONS: Final[Mapping[str, Schema]] = {
    "candidates": {"type": "integer", "minimum": 1, "maximum": 4},
    "video.duration": {"type": "number", "minimum": 4, "maximum": 8},
    "video.edit": {"enum": [VideoEdit.Name(VideoEdit.VIDEO_EDIT_UNSPECIFIED), "VIDEO_EDIT_EXTEND"]},
    "video.frame.aspect_ratio": {"enum": ["16:9", "9:16"]},
    "video.frame.resolution": {"enum": ["720p", "1080p", "4k"]},
    "video.frame.negative_prompt": {"type": "string"},
    "extra.person_generation": {"enum": ["allow_all", "allow_adult", "dont_allow"]},
}
_PARAMETERS: Final = {
    "candidates": "sampleCount",
    "video.frame.aspect_ratio": "aspectRatio",
    "video.frame.resolution": "resolution",
    "video.frame.negative_prompt": "negativePrompt",
    "extra.person_generation": "personGeneration",
}
_SECONDS: Final = 8
"""Length of a video where the caller names none."""
MP4: Final = "video/mp4"


class Video(Job):
    """Videos from words, a first and a last frame, references, or a video to go on with."""

    async def submit(self, api: Api, call: Call) -> Submitted:
        """Gives the name of the operation ("models/veo…/operations/…")."""
        parameters = {name: value for path, name in _PARAMETERS.items() if (value := call.option(path)) is not None}
        if (seconds := call.option("video.duration")) is not None:
            parameters["durationSeconds"] = int(seconds)
        body: dict[str, Any] = {"instances": [await self._instance(api, call)]}
        if parameters:
            body["parameters"] = parameters
        operation, reply = await api.json(asked(call, "predictLongRunning", body))
        return Submitted(str(operation["name"]), Facts(vendor_request_id=reply.request_id))

    async def look(self, api: Api, call: Call, job_id: str) -> Look:
        """How the operation stands."""
        operation, reply = await api.json(Request("GET", f"/{job_id}", remaining=call.remaining()))
        if operation.get("error"):
            return Look(failed=reply.failure(operation))
        if not operation.get("done"):
            return Look(stage="running")
        answer = (operation.get("response") or {}).get("generateVideoResponse") or {}
        if not answer.get("generatedSamples"):
            reasons = answer.get("raiMediaFilteredReasons") or ["no video was made"]
            return Look(failed=refused("; ".join(reasons), ()))
        return Look(done=True, answer=answer)

    async def deliver(self, api: Api, call: Call, look: Look) -> AsyncGenerator[Yielded, None]:
        """Streams the videos from where the vendor keeps them for two days."""
        samples = look.answer["generatedSamples"]
        for number, sample in enumerate(samples):
            video = sample.get("video") or {}
            output = Output(video.get("encoding") or MP4, candidate=number)
            yield output
            if data := video.get("encodedVideo"):
                yield output.data(base64.b64decode(data))
            else:
                async with api.open(Request("GET", address_of(api, video["uri"]), redirects=3)) as reply:
                    async for chunk in reply.chunks():
                        yield output.data(chunk)
                yield output.state(state_from({"uri": video["uri"]}, api.vendor.id))
            yield output.done()
        milliseconds = int(call.option("video.duration", _SECONDS) * 1000) * len(samples)
        facts = {"resolution": call.options.video.frame.resolution}
        yield usage_of({"video-millisecond": milliseconds}, call.model.pricing, facts=facts)

    async def _instance(self, api: Api, call: Call) -> dict[str, Any]:
        """What is to be made of what."""
        instance: dict[str, Any] = {}
        if prompt := prompt_of(call):
            instance["prompt"] = prompt
        inputs = Inputs(call)
        for field, turn, part in numbered(call.turns):
            media_type = media_type_of(part)
            if turn.role not in USER or part.HasField("text") or media_type.startswith("text/"):
                continue
            if media_type.startswith("video/"):
                instance["video"] = await _video(api, inputs, part, field)
            elif part.name == "reference":
                image = await _image(inputs, part, field)
                instance.setdefault("referenceImages", []).append({"image": image, "referenceType": "asset"})
            else:
                where = "lastFrame" if part.name == "last-frame" else "image"
                if where in instance:
                    raise InvalidRequestError.at(field, "there is one such frame already")
                place(instance, where, await _image(inputs, part, field))
        if call.options.video.edit == VideoEdit.VIDEO_EDIT_EXTEND and "video" not in instance:
            raise InvalidRequestError.at("options.video.edit", "there is no video to extend")
        return instance


async def _image(inputs: Inputs, part: Part, field: str) -> dict[str, str]:
    return {"bytesBase64Encoded": await inputs.base64(part, field), "mimeType": media_type_of(part)}


async def _video(api: Api, inputs: Inputs, part: Part, field: str) -> dict[str, str]:
    """A video by where the vendor keeps it, else in place."""
    if (state := state_of(part, api.vendor.id)) and "uri" in state:
        return {"uri": state["uri"]}
    return {"encodedVideo": await inputs.base64(part, field), "encoding": media_type_of(part)}


def address_of(api: Api, uri: str) -> str:
    """Where the vendor's files are, seen from here: another base URL holds for them too."""
    return api.base_url + uri.removeprefix(api.vendor.base_url) if uri.startswith(api.vendor.base_url) else uri
