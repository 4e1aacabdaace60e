"""One output of a call, gathered from its deltas."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Final

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from mediaconduit.reading import Spoken, visible_text
from mediaconduit.saving import Sink
from mediaconduit.v1.events_pb2 import OutputCompleted, OutputDelta, OutputKind, OutputStarted, TokenLogprob
from mediaconduit.v1.media_pb2 import MediaInfo, Part, Role, Segment


class Output:
    """One output, whole."""

    def __init__(self, started: OutputStarted, sink: Sink | None = None) -> None:
        self.started: OutputStarted = started
        """As it began: index, candidate, kind, media type, name."""
        self.logprobs: list[TokenLogprob] = []
        self._completed = OutputCompleted()
        self._sink = sink
        self._texts: list[str] = []
        self._chunks: list[bytes] = []
        self._segments: dict[str | int, Segment] = {}
        self._extra = Part()

    @property
    def index(self) -> int:
        """Its number, from 0."""
        return self.started.index

    @property
    def candidate(self) -> int:
        """Which alternative it belongs to."""
        return self.started.candidate

    @property
    def kind(self) -> OutputKind.ValueType:
        """What it is."""
        return self.started.kind

    @property
    def media_type(self) -> str:
        """IANA media type."""
        return self._completed.part.media_type or self.started.media_type

    @property
    def name(self) -> str:
        """Which of several ("vocals"); mostly empty."""
        return self.started.name

    @property
    def is_preview(self) -> bool:
        """An early look at another output."""
        return self.started.HasField("preview_of")

    @property
    def visible(self) -> bool:
        """Part of the answer: no preview, and not what the caller said."""
        return not self.is_preview and self.started.role != Role.ROLE_USER

    @property
    def path(self) -> Path | None:
        """The file it was saved to by ``to=``."""
        return self._sink.path if self._sink is not None else None

    @property
    def info(self) -> MediaInfo:
        """Facts about audio, images, video."""
        return self._completed.info

    @property
    def sha256(self) -> str:
        """Of its bytes, in lower-case hex; empty for text."""
        return self._completed.sha256

    @property
    def size_bytes(self) -> int:
        """Bytes in all."""
        return self._completed.size_bytes or sum(map(len, self._chunks)) or len(self._completed.part.data)

    @property
    def data(self) -> bytes:
        """Its bytes; empty for text and for what is held elsewhere (`part.asset`). Reads the file when it was saved
        to one."""
        if self.path is not None:
            return self.path.read_bytes()
        if len(self._chunks) > 1:
            self._chunks = [b"".join(self._chunks)]
        return self._chunks[0] if self._chunks else self._completed.part.data

    @cached_property
    def text(self) -> str:
        """Its text: an answer, reasoning, tool arguments, what was said."""
        if self._segments:
            spoken = Spoken()
            return "".join(spoken.append(s.text) for s in self._segments.values() if s.text and not s.sound)
        if self._texts:
            return "".join(self._texts)
        part = self._completed.part
        content = part.WhichOneof("content")
        if content == "tool_call":
            return part.tool_call.arguments
        if content == "reasoning":
            return part.reasoning.text
        if content == "tool_result":
            return "".join(p.text for p in part.tool_result.parts)
        return visible_text(part.text, part.transcript.segments)

    @cached_property
    def part(self) -> Part:
        """The part to send back, unchanged. Without content when it was saved to a file."""
        part = Part()
        part.CopyFrom(self._completed.part)
        if part.WhichOneof("content") is None:
            _FILL.get(self.kind, _fill_text)(self, part)
        part.name = part.name or self.name
        part.media_type = part.media_type or self.started.media_type
        if not part.HasField("vendor_state") and self._extra.HasField("vendor_state"):
            part.vendor_state.CopyFrom(self._extra.vendor_state)
        if not part.citations:
            part.citations.extend(self._extra.citations)
        return part

    async def add(self, delta: OutputDelta) -> None:
        """Takes a delta in."""
        kind = delta.WhichOneof("delta")
        if kind == "text":
            self._texts.append(delta.text)
            self.logprobs.extend(delta.logprobs)
        elif kind == "data":
            if self._sink is not None:
                await self._sink.write(delta.data)
            else:
                self._chunks.append(delta.data)
        elif kind == "segment":
            self._segments[delta.segment.id or len(self._segments)] = delta.segment
        elif kind == "citation":
            self._extra.citations.append(delta.citation)
        elif kind == "vendor_state":
            self._extra.vendor_state.CopyFrom(delta.vendor_state)

    async def complete(self, completed: OutputCompleted) -> None:
        """Takes the end in."""
        if self._sink is None:
            self._completed = completed
            return
        self._completed.CopyFrom(completed)
        if completed.part.HasField("asset"):
            self._sink.abort()
            self._sink = None
        elif completed.part.data:
            await self._sink.write(completed.part.data)
            self._completed.part.ClearField("data")

    def to_dict(self) -> dict[str, Any]:
        """As plain data, bytes as facts about them."""
        facts: dict[str, Any] = {
            "index": self.index,
            "candidate": self.candidate,
            "kind": OutputKind.Name(self.kind).removeprefix("OUTPUT_KIND_").lower(),
            "media_type": self.media_type,
        }
        if self.name:
            facts["name"] = self.name
        if self.kind == OutputKind.OUTPUT_KIND_DATA:
            facts |= {"size_bytes": self.size_bytes, "sha256": self.sha256}
            if self.path is not None:
                facts["path"] = str(self.path)
        part = Part()
        part.CopyFrom(self.part)
        part.ClearField("data")
        part.ClearField("media_type")
        part.ClearField("name")
        facts |= plain(part)
        if self._completed.HasField("info"):
            facts["info"] = plain(self.info)
        return facts


def _fill_text(output: Output, part: Part) -> None:
    part.text = output.text


def _fill_data(output: Output, part: Part) -> None:
    if output.path is None:
        part.data = output.data


def _fill_reasoning(output: Output, part: Part) -> None:
    part.reasoning.text = output.text


def _fill_tool_call(output: Output, part: Part) -> None:
    part.tool_call.CopyFrom(output.started.tool_call)
    part.tool_call.arguments = output.text


def _fill_tool_result(output: Output, part: Part) -> None:
    part.tool_result.call_id = output.started.call_id
    if output.text:
        part.tool_result.parts.add(text=output.text)


def _fill_transcript(output: Output, part: Part) -> None:
    part.transcript.SetInParent()
    if output._segments:
        part.transcript.segments.extend(output._segments.values())
    elif output.text:
        part.transcript.segments.add(text=output.text)


_FILL: Final = {
    OutputKind.OUTPUT_KIND_DATA: _fill_data,
    OutputKind.OUTPUT_KIND_REASONING: _fill_reasoning,
    OutputKind.OUTPUT_KIND_TOOL_CALL: _fill_tool_call,
    OutputKind.OUTPUT_KIND_TOOL_RESULT: _fill_tool_result,
    OutputKind.OUTPUT_KIND_TRANSCRIPT: _fill_transcript,
}


def plain(message: Message) -> dict[str, Any]:
    """A message as plain data with the names of the contract."""
    return MessageToDict(message, preserving_proto_field_name=True)
