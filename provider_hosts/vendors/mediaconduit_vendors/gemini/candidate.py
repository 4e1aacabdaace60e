"""One of the alternatives of an answer: whose parts go into which output."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from mediaconduit.v1.events_pb2 import TokenLogprob
from mediaconduit_provider import Asset, Output, OutputKind, Part, ToolCall, ToolResult
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.content import state_from
from mediaconduit_vendors.gemini.grounding import citations_of

_HOSTED: Final = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")

Media = Callable[["Candidate", bytes, str, Mapping[str, Any]], Iterator[Yielded]]
"""What to do with media in an answer: candidate, bytes, media type, the whole piece."""


class Candidate:
    """One of the alternatives under way.

    Args:
        index: From 0.
        media_type: Of its text.
        vendor: Short name of the vendor, whose state the outputs carry.
        plain: Whether its text is yielded plain, the cheapest way: it is the only one, without probabilities.
        transcript: Whether its text is what was said in the input.
    """

    def __init__(self, index: int, media_type: str, vendor: str, *, plain: bool, transcript: bool = False) -> None:
        self.index = index
        self._media_type = media_type
        self._kind = OutputKind.OUTPUT_KIND_TRANSCRIPT if transcript else OutputKind.OUTPUT_KIND_TEXT
        self._vendor = vendor
        self._plain = plain
        self._texts: list[Output] = []
        self._text: Output | None = None
        self._thought: Output | None = None
        self._calls = 0
        self._cited: set[bytes] = set()
        self._ran = ""
        self.draft: Output | None = None
        """The image that drafts are early looks at."""
        self.drafts = 0
        self.written = 0
        """Characters so far."""
        self.spoke = False
        """Whether anything came."""

    def read(self, piece: Mapping[str, Any], media: Media, logprobs: list[TokenLogprob]) -> Iterator[Yielded]:
        """A part of a chunk."""
        self.spoke = True
        signature = piece.get("thoughtSignature")
        if (text := piece.get("text")) is not None:
            self.written += len(text)
            if piece.get("thought"):
                yield from self._think(text, signature)
            elif text or signature:
                yield from self._say(text, signature, logprobs)
            return
        if "functionCall" in piece:
            yield from self._called(piece["functionCall"], signature)
        elif "inlineData" in piece:
            blob = piece["inlineData"]
            yield from media(self, base64.b64decode(blob.get("data") or ""), blob.get("mimeType") or "", piece)
        elif "fileData" in piece:
            held = piece["fileData"]
            asset = Asset(uri=held.get("fileUri") or "", media_type=held.get("mimeType") or "")
            yield Part(asset=asset, vendor_state=self._signed(signature))
        elif any(kind in piece for kind in _HOSTED):
            yield self._hosted(piece)
        self._text = self._thought = None

    def cite(self, chunk: Mapping[str, Any]) -> Iterator[Yielded]:
        """Sources of the text so far. Chunks may name those of before again."""
        for citation in citations_of(chunk) if self._texts else ():
            known = citation.SerializeToString(deterministic=True)
            if known not in self._cited:
                self._cited.add(known)
                yield self._texts[0].cite(citation)

    @property
    def called(self) -> bool:
        """Whether it wants functions called."""
        return self._calls > 0

    def state(self, signature: str | None) -> Any:
        """What the vendor needs back with an output; None without a signature."""
        return self._signed(signature)

    # -- inside -------------------------------------------------------------------------------------------------------

    def _say(self, text: str, signature: str | None, logprobs: list[TokenLogprob]) -> Iterator[Yielded]:
        """Text; what is signed is an output of its own, for it must come back as it was."""
        self._thought = None
        if signature or self._text is None:
            self._text = Output(self._media_type, kind=self._kind, candidate=self.index)
            self._texts.append(self._text)
            yield self._text
        if text:
            yield text if self._plain else self._text.text(text, logprobs)
        if signature:
            yield self._text.state(state_from({"thoughtSignature": signature}, self._vendor))
            self._text = None

    def _think(self, text: str, signature: str | None) -> Iterator[Yielded]:
        self._text = None
        if self._thought is None:
            self._thought = Output("", kind=OutputKind.OUTPUT_KIND_REASONING, candidate=self.index)
        yield self._thought.text(text)
        if signature:
            yield self._thought.state(state_from({"thoughtSignature": signature}, self._vendor))
            self._thought = None

    def _called(self, function: Mapping[str, Any], signature: str | None) -> Iterator[Yielded]:
        """A call of a function, whole. Its state says whether the id is the vendor's."""
        given = function.get("id")
        call = ToolCall(id=given or f"call_{self.index}_{self._calls}", name=function.get("name") or "")
        arguments = json.dumps(function.get("args") or {}, ensure_ascii=False)
        self._calls += 1
        self.written += len(arguments)
        output = Output("", tool_call=call, candidate=self.index)
        yield output
        yield output.text(arguments)
        state = {"id": given} if given else {}
        yield output.state(state_from(state | ({"thoughtSignature": signature} if signature else {}), self._vendor))
        yield output.done()

    def _hosted(self, piece: Mapping[str, Any]) -> Yielded:
        """What the vendor ran, and what it gave: sent back as it came."""
        state = state_from({"piece": dict(piece)}, self._vendor)
        if (code := piece.get("executableCode")) is not None:
            self._ran = code.get("id") or f"ran_{self.index}_{self.written}"
            arguments = json.dumps({"code": code.get("code") or ""}, ensure_ascii=False)
            call = ToolCall(id=self._ran, name="code_execution", arguments=arguments, hosted=True)
            return Part(tool_call=call, vendor_state=state)
        if (call_of := piece.get("toolCall")) is not None:
            arguments = json.dumps(call_of.get("args") or {}, ensure_ascii=False)
            name = (call_of.get("toolName") or call_of.get("toolType") or "").lower()
            call = ToolCall(id=call_of.get("id") or "", name=name, arguments=arguments, hosted=True)
            return Part(tool_call=call, vendor_state=state)
        if (answer := piece.get("toolResponse")) is not None:
            text = json.dumps(answer.get("response") or {}, ensure_ascii=False)
            read = Part(media_type="application/json", text=text)
            return Part(tool_result=ToolResult(call_id=answer.get("id") or "", parts=[read]), vendor_state=state)
        result = piece["codeExecutionResult"]
        printed = ToolResult(
            call_id=result.get("id") or self._ran,
            parts=[Part(text=result.get("output") or "")],
            is_error=result.get("outcome") not in (None, "OUTCOME_OK"),
        )
        return Part(tool_result=printed, vendor_state=state)

    def _signed(self, signature: str | None) -> Any:
        return state_from({"thoughtSignature": signature}, self._vendor) if signature else None
