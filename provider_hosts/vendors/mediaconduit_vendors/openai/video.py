"""Video: made in the background, asked about, and fetched."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, ClassVar, Final
from urllib.parse import quote

from mediaconduit.v1.options_pb2 import VideoEdit
from mediaconduit_provider import Call, Facts, Input, InvalidRequestError, Output, Usage
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.content import numbered, prompt_of, state_from, state_of
from mediaconduit_vendors.jobs import Job, Look, Submitted
from mediaconduit_vendors.openai.forms import File, files_of, form
from mediaconduit_vendors.openai.images import info_of
from mediaconduit_vendors.openai.operation import Operation, facts_of
from mediaconduit_vendors.openai.options import Schema
from mediaconduit_vendors.reply import not_understood
from mediaconduit_vendors.usage import usage_of

_EDITS: Final = {VideoEdit.VIDEO_EDIT_CHANGE: "/edits", VideoEdit.VIDEO_EDIT_EXTEND: "/extensions"}


class Videos(Job, Operation):
    """``POST /videos`` and what follows. A video that was made before is changed or extended by its id.

    The vendor has no request to stop one that is under way: "Permanently delete a completed or failed video".
    """

    path: ClassVar[str] = "/videos"
    options: ClassVar[Mapping[str, Schema]] = {
        "video.duration": {"enum": [4, 8, 12, 16, 20]},
        "video.frame.width": {"type": "integer", "minimum": 1},
        "video.frame.height": {"type": "integer", "minimum": 1},
        "video.frame.aspect_ratio": {"enum": ["16:9", "9:16"]},
        "video.edit": {"enum": list(VideoEdit.keys())},
    }
    places: ClassVar[Mapping[str, str]] = {
        "prompt": "turns",
        "input_reference": "turns",
        "video": "turns",
        "seconds": "options.video.duration",
        "size": "options.video.frame.width",
    }
    sizes: ClassVar[Mapping[str, str]] = {"16:9": "1280x720", "9:16": "720x1280"}
    """By aspect ratio."""
    default_seconds: ClassVar[int] = 4
    done: ClassVar[str] = "completed"
    failed: ClassVar[frozenset[str]] = frozenset({"failed"})

    # -- submitting ---------------------------------------------------------------------------------------------------

    async def submit(self, api: Api, call: Call) -> Submitted:
        """Hands the work in."""
        answer, reply = await api.json(await self.request(api, call))
        job_id = answer.get("id") if isinstance(answer, Mapping) else None
        if not job_id:
            raise not_understood("it holds no id of the video")
        call.meter(lambda: self.usage(answer, call))  # charged when it is done, whether or not anyone waits
        return Submitted(str(job_id), facts_of(answer, reply))

    def path_for(self, call: Call) -> str:
        """Changes and extensions have paths of their own."""
        edit = call.options.video.edit
        if not edit and call.capability == "video-to-video":
            edit = VideoEdit.VIDEO_EDIT_CHANGE
        return self.path + _EDITS.get(edit, "")

    async def request(self, api: Api, call: Call) -> Request:
        """A form where content goes along, else JSON."""
        body = self.body(call)
        if self.path_for(call) != self.path:
            if known := _video_id(call, api.vendor.id):
                return self.asked(call, json={"video": {"id": known}, **body})
            source: list[File] = [("video", _main(call, "video/"))]
            return self.asked(call, data=form(body), files=await files_of(source))
        images = [*call.inputs("first-frame"), *(i for i in call.inputs() if i.media_type.startswith("image/"))]
        if len(images) > 1:
            raise InvalidRequestError.at(images[1].field, "one image is taken: the first frame")
        if not images:
            return self.asked(call, json=body)
        return self.asked(call, data=form(body), files=await files_of([("input_reference", images[0])]))

    def body(self, call: Call) -> dict[str, Any]:
        """What is wanted."""
        path = self.path_for(call)
        body: dict[str, Any] = {"prompt": prompt_of(call, follows=True)}
        if not body["prompt"]:
            raise InvalidRequestError.at("turns", "say what the video is to show")
        if path == self.path:
            body |= {"model": self.model_name(call), **self.size(call)}
        if seconds := call.option("video.duration"):
            if path.endswith("/edits"):
                raise InvalidRequestError.at("options.video.duration", "stays as it is when a video is changed")
            body["seconds"] = str(seconds)
        elif path.endswith("/extensions"):
            body["seconds"] = str(self.default_seconds)
        return body

    def size(self, call: Call) -> dict[str, Any]:
        """The size wanted, in the vendor's words."""
        frame = call.options.video.frame
        if frame.aspect_ratio:
            return {"size": self.sizes[frame.aspect_ratio]}
        if frame.HasField("width") != frame.HasField("height"):
            missing = "height" if frame.HasField("width") else "width"
            raise InvalidRequestError.at(f"options.video.frame.{missing}", "width and height go together")
        return {"size": f"{frame.width}x{frame.height}"} if frame.HasField("width") else {}

    # -- following ----------------------------------------------------------------------------------------------------

    async def look(self, api: Api, call: Call, job_id: str) -> Look:
        """How it stands. Raises how it failed."""
        answer, reply = await api.json(self._get(call, job_id))
        if not isinstance(answer, Mapping) or not answer.get("status"):
            raise not_understood("it does not say how the video stands")
        status = answer["status"]
        if status in self.failed:
            raise reply.failure({"error": answer.get("error") or {"message": "the video failed", "type": status}})
        progress = answer.get("progress")
        return Look(
            done=status == self.done,
            answer=answer,
            fraction=None if progress is None else min(1.0, progress / 100),
            stage=status,
            facts=facts_of(answer, reply),
        )

    async def deliver(self, api: Api, call: Call, look: Look) -> AsyncGenerator[Yielded, None]:
        """The video, as it is fetched."""
        answer = look.answer
        output = Output("video/mp4")
        async with api.open(self._get(call, answer["id"], "/content")) as reply:
            yield Facts(vendor_request_id=reply.request_id)
            yield output.state(state_from({"video": answer["id"]}, api.vendor.id))
            async with aclosing(reply.chunks()) as chunks:
                async for chunk in chunks:
                    yield output.data(chunk)
        yield output.done(info_of(answer))
        yield self.usage(answer, call)

    def usage(self, answer: Mapping[str, Any], call: Call) -> Usage:
        """What was made, by its length."""
        seconds = float(answer.get("seconds") or call.option("video.duration") or self.default_seconds)
        facts = {"size": size} if (size := answer.get("size")) else None
        return usage_of({"video-millisecond": round(seconds * 1000)}, call.model.pricing, facts=facts)

    def _get(self, call: Call, job_id: str, below: str = "") -> Request:
        return Request(
            "GET",
            self.address.url(f"{self.path}/{quote(job_id, safe='')}{below}", call),
            params=self.params(call),
            headers=self.headers(call),
            remaining=call.remaining(),
        )


def _main(call: Call, kind: str) -> Input:
    for found in call.inputs():
        if found.media_type.startswith(kind):
            return found
    raise InvalidRequestError.at("turns", "a video to work on is missing")


def _video_id(call: Call, vendor: str) -> str:
    """The last video of the vendor's in the turns; empty when there is none."""
    known = [
        state["video"] for _, _, part in numbered(call.turns) if (state := state_of(part, vendor) or {}).get("video")
    ]
    return str(known[-1]) if known else ""
