"""Video by models that one talks to: ``/interactions``, in the background.

The published description does not have it yet; its form is that of Google's SDK google-genai 3.4.0
(``_gaos.types.interactions``).
"""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from typing import Any, Final

from mediaconduit.v1.options_pb2 import VideoEdit
from mediaconduit_provider import Call, Facts, InputSpec, InvalidRequestError, Output, Part, Turn
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.content import USER, Inputs, media_type_of, numbered, state_from, state_of, text_in
from mediaconduit_vendors.gemini.options import IMAGE
from mediaconduit_vendors.gemini.usage import units_of
from mediaconduit_vendors.gemini.video import MP4, address_of
from mediaconduit_vendors.jobs import Job, Look, Submitted
from mediaconduit_vendors.options import Schema, place
from mediaconduit_vendors.reply import not_understood
from mediaconduit_vendors.usage import usage_of

INPUTS: Final = (
    InputSpec(media_types=("text/*", "image/*", "video/*", "audio/*")),
    InputSpec("first-frame", ("image/*",)),
    InputSpec("last-frame", ("image/*",)),
    InputSpec("reference", ("image/*",), max_count=10),
)
OPTIONS: Final[Mapping[str, Schema]] = {
    "seed": IMAGE["seed"],
    "text.temperature": IMAGE["text.temperature"],
    "video.duration": {"type": "number", "exclusiveMinimum": 0},
    "video.edit": {"enum": VideoEdit.keys()},
    "video.frame.aspect_ratio": {"enum": ["16:9", "9:16"]},
    "video.frame.resolution": {"enum": ["360p", "720p", "1080p", "4k"]},
    "extra.service_tier": IMAGE["extra.service_tier"],
}
_PLACES: Final = {
    "seed": "generation_config.seed",
    "text.temperature": "generation_config.temperature",
    "video.frame.aspect_ratio": "response_format.aspect_ratio",
    "video.frame.resolution": "response_format.resolution",
    "extra.service_tier": "service_tier",
}
_TASKS: Final = {VideoEdit.VIDEO_EDIT_CHANGE: "edit", VideoEdit.VIDEO_EDIT_EXTEND: "extend"}
_RUNNING: Final = frozenset({"in_progress", "queued"})


class Interaction(Job):
    """Videos from words, images and videos. A video of an earlier answer in the turns goes on from there."""

    async def submit(self, api: Api, call: Call) -> Submitted:
        """Gives the vendor's id of the interaction."""
        body = await self._body(api, call)
        fields = {where: f"options.{path}" for path, where in _PLACES.items()} | {"input": "turns"}
        request = Request("POST", "/interactions", json=body, fields=fields, remaining=call.remaining())
        made, reply = await api.json(request)
        facts = Facts(vendor_request_id=reply.request_id, vendor_response_id=made["id"])
        return Submitted(made["id"], facts)

    async def look(self, api: Api, call: Call, job_id: str) -> Look:
        """How the interaction stands."""
        found, reply = await api.json(Request("GET", f"/interactions/{job_id}", remaining=call.remaining()))
        status = found.get("status") or ""
        if status in _RUNNING:
            return Look(stage=status)
        if status == "completed":
            return Look(done=True, answer=found, facts=Facts(vendor_model=found.get("model") or ""))
        errors = [*(found.get("errors") or ()), *filter(None, (step.get("error") for step in _steps(found)))]
        if errors:
            return Look(failed=reply.failure({"error": errors[0]}))
        raise not_understood(f"an interaction that is {status or 'in no state'}")

    async def deliver(self, api: Api, call: Call, look: Look) -> AsyncGenerator[Yielded, None]:
        """Streams the videos, and says the words that go with them."""
        for content in _contents(look.answer):
            if content.get("type") == "text" and (text := content.get("text")):
                yield text
            if content.get("type") != "video":
                continue
            output = Output(content.get("mime_type") or MP4)
            yield output
            if data := content.get("data"):
                yield output.data(base64.b64decode(data))
            else:
                async with api.open(Request("GET", address_of(api, content["uri"]), redirects=3)) as reply:
                    async for chunk in reply.chunks():
                        yield output.data(chunk)
            yield output.state(state_from({"interaction": look.answer["id"]}, api.vendor.id))
            yield output.done()
        if usage := look.answer.get("usage"):
            yield usage_of(units_of(_metadata(usage)), call.model.pricing)

    async def cancel(self, api: Api, job_id: str) -> None:
        """Stops it at the vendor."""
        await api.json(Request("POST", f"/interactions/{job_id}/cancel"))

    async def _body(self, api: Api, call: Call) -> dict[str, Any]:
        before, first = _since(call.turns, api.vendor.id)
        body: dict[str, Any] = {"model": call.model.id, "background": True, "store": True}
        # Videos are too large for an answer in one piece.
        body["response_format"] = {"type": "video", "delivery": "uri"}
        if (seconds := call.option("video.duration")) is not None:
            body["response_format"]["duration"] = f"{seconds:g}s"
        for path, where in _PLACES.items():
            if (value := call.option(path)) is not None:
                place(body, where, value)
        if call.system:
            body["system_instruction"] = call.system
        if before:
            body["previous_interaction_id"] = before
        body["input"], names = await _input(call, first, api.vendor.id)
        if task := _TASKS.get(call.options.video.edit) or ("reference_to_video" if "reference" in names else ""):
            place(body, "generation_config.video_config.task", task)
        return body


async def _input(call: Call, first: int, vendor: str) -> tuple[list[dict[str, Any]], set[str]]:
    """The caller's parts from a turn on, without what the vendor made itself, and their names."""
    inputs, contents, names = Inputs(call), list[dict[str, Any]](), set[str]()
    for field, turn, part in numbered(call.turns):
        if turn.role not in USER or state_of(part, vendor) or int(field[len("turns[") : field.index("]")]) < first:
            continue
        names.add(part.name)
        if text := text_in(part):
            contents.append({"type": "text", "text": text})
        elif not part.HasField("text"):
            contents.append(await _media(inputs, part, field))
    if not contents:
        raise InvalidRequestError.at("turns", "say nothing new", hint="add a turn of the user")
    return contents, names


async def _media(inputs: Inputs, part: Part, field: str) -> dict[str, Any]:
    """An image, a video or sound, by its URL or in place."""
    media_type = media_type_of(part)
    content = {"type": media_type.partition("/")[0], "mime_type": media_type}
    if part.HasField("asset") and part.asset.uri.startswith("https://"):
        return content | {"uri": part.asset.uri}
    return content | {"data": await inputs.base64(part, field)}


def _since(turns: Sequence[Turn], vendor: str) -> tuple[str, int]:
    """The vendor's newest interaction in a conversation, and the turn with what it made; "" and 0 without one."""
    for number in range(len(turns) - 1, -1, -1):
        for part in turns[number].parts:
            if (state := state_of(part, vendor)) and "interaction" in state:
                return state["interaction"], number
    return "", 0


def _steps(interaction: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (step for step in interaction.get("steps") or () if step.get("type") == "model_output")


def _contents(interaction: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What the model made."""
    for step in _steps(interaction):
        yield from step.get("content") or ()


def _metadata(usage: Mapping[str, Any]) -> dict[str, Any]:
    """Usage of an interaction in the words of other answers."""
    names = {
        "total_input_tokens": "promptTokenCount",
        "total_cached_tokens": "cachedContentTokenCount",
        "total_output_tokens": "candidatesTokenCount",
        "total_thought_tokens": "thoughtsTokenCount",
        "total_tool_use_tokens": "toolUsePromptTokenCount",
    }
    details = {
        "input_tokens_by_modality": "promptTokensDetails",
        "cached_tokens_by_modality": "cacheTokensDetails",
        "output_tokens_by_modality": "candidatesTokensDetails",
    }
    return {
        **{ours: usage.get(theirs) for theirs, ours in names.items()},
        **{
            ours: [
                {"modality": (each.get("modality") or "").upper(), "tokenCount": each.get("tokens") or 0}
                for each in usage.get(theirs) or ()
            ]
            for theirs, ours in details.items()
        },
    }
