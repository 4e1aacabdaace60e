"""An answer under way: whose parts go into which output."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from mediaconduit.errors import Reason
from mediaconduit.v1.events_pb2 import TokenLogprob
from mediaconduit_provider import (
    Asset,
    Call,
    Facts,
    Finish,
    FinishReason,
    InvalidRequestError,
    Notice,
    Output,
    OutputKind,
    Part,
    Score,
    Scores,
    ToolCall,
    ToolResult,
    Usage,
)
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.content import state_from
from mediaconduit_vendors.gemini.grounding import citations_of, searches_of
from mediaconduit_vendors.gemini.usage import facts_of, units_of
from mediaconduit_vendors.usage import estimated_usage, usage_of

FINISHES: Final[Mapping[str, FinishReason.ValueType]] = {
    "STOP": FinishReason.FINISH_REASON_STOP,
    "MAX_TOKENS": FinishReason.FINISH_REASON_LENGTH,
    **dict.fromkeys(
        (
            "SAFETY",
            "RECITATION",
            "BLOCKLIST",
            "PROHIBITED_CONTENT",
            "SPII",
            "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT",
            "IMAGE_RECITATION",
        ),
        FinishReason.FINISH_REASON_CONTENT_FILTER,
    ),
}
"""Why an answer ended, in the vendor's words."""
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
    """

    def __init__(self, index: int, media_type: str, vendor: str, *, plain: bool) -> None:
        self.index = index
        self._media_type = media_type
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
            self._text = Output(self._media_type, candidate=self.index)
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


class Answer:
    """Turns chunks into what `transform` yields.

    Args:
        call: Whose answer.
        vendor: Short name of the vendor.
        media: What to do with media.
    """

    def __init__(self, call: Call, vendor: str, media: Media | None = None) -> None:
        self._call = call
        self._vendor = vendor
        self._media = media or data_part
        options = call.options
        self._media_type = "application/json" if options.text.json_schema else "text/plain"
        self._plain = (options.candidates or 1) <= 1 and not options.text.HasField("top_logprobs")
        self._candidates: dict[int, Candidate] = {}
        self._finishes: dict[int, Finish] = {}
        self._counted: Mapping[str, Any] = {}
        self._searches: dict[int, int] = {}
        self._known = False
        call.meter(self.consumed)

    def read(self, chunk: Mapping[str, Any]) -> Iterator[Yielded]:
        """What a chunk says. Raises CONTENT_REFUSED where the prompt is."""
        if not self._known and (model := chunk.get("modelVersion")):
            self._known = True
            yield Facts(vendor_model=model, vendor_response_id=chunk.get("responseId") or "")
        if usage := chunk.get("usageMetadata"):
            self._counted = usage
        if (feedback := chunk.get("promptFeedback")) and (why := feedback.get("blockReason")):
            raise refused(f"the prompt is refused: {why}", feedback.get("safetyRatings") or ())
        for found in chunk.get("candidates") or ():
            yield from self._candidate(found)

    def _candidate(self, found: Mapping[str, Any]) -> Iterator[Yielded]:
        index = found.get("index") or 0
        candidate = self._candidates.get(index)
        if candidate is None:
            candidate = Candidate(index, self._media_type, self._vendor, plain=self._plain)
            self._candidates[index] = candidate
        logprobs = _logprobs(found["logprobsResult"]) if found.get("logprobsResult") else []
        for piece in (found.get("content") or {}).get("parts") or ():
            yield from candidate.read(piece, self._media, logprobs)
            logprobs = []
        if "groundingMetadata" in found or "citationMetadata" in found:
            self._searches[index] = max(self._searches.get(index, 0), searches_of(found))
            yield from candidate.cite(found)
        if reason := found.get("finishReason"):
            yield from self._finish(candidate, reason, found)

    def _finish(self, candidate: Candidate, reason: str, found: Mapping[str, Any]) -> Iterator[Yielded]:
        kind = FINISHES.get(reason, FinishReason.FINISH_REASON_UNSPECIFIED)
        if kind == FinishReason.FINISH_REASON_STOP and candidate.called:
            kind = FinishReason.FINISH_REASON_TOOL_CALLS
        ratings = found.get("safetyRatings") or ()
        if kind == FinishReason.FINISH_REASON_CONTENT_FILTER and not candidate.spoke and self._plain:
            raise refused(found.get("finishMessage") or f"the answer is withheld: {reason}", ratings)
        self._finishes[candidate.index] = Finish(reason=kind, vendor_reason=reason, safety=_scores(ratings))
        if message := found.get("finishMessage"):
            yield Notice(code=reason, message=message)

    @property
    def finished(self) -> bool:
        """Whether the vendor said of any candidate why it ended."""
        return bool(self._finishes)

    def end(self) -> Iterator[Yielded]:
        """What is only known when all has come."""
        if self._counted:
            yield self._usage()
        yield from (finish for _, finish in sorted(self._finishes.items()))

    def consumed(self) -> Usage:
        """What a call that is cut has taken: the vendor counts with every chunk."""
        written = sum(candidate.written for candidate in self._candidates.values())
        if not self._counted:
            read = sum(len(part.text) for turn in self._call.turns for part in turn.parts)
            return estimated_usage(read, written, self._call.model.pricing)
        usage = self._usage()
        usage.estimated = not self.finished
        return usage

    def _usage(self) -> Usage:
        pricing = self._call.model.pricing
        units = units_of(self._counted, sum(self._searches.values()))
        return usage_of(units, pricing, facts=facts_of(self._counted))


def data_part(candidate: Candidate, data: bytes, media_type: str, piece: Mapping[str, Any]) -> Iterator[Yielded]:
    """Media as an output of its own."""
    output = Output(media_type, candidate=candidate.index)
    yield output.data(data)
    if (state := candidate.state(piece.get("thoughtSignature"))) is not None:
        yield output.state(state)
    yield output.done()


def refused(why: str, ratings: Any) -> InvalidRequestError:
    """The vendor's policy refuses the call as a whole."""
    scores = _scores(ratings)
    return InvalidRequestError(
        f"Gemini: {why}",
        reason=Reason.CONTENT_REFUSED,
        hint="change the input",
        details=(Scores(scores=scores),) if scores else (),
    )


def _scores(ratings: Any) -> list[Score]:
    return [
        Score(label=each.get("category") or "", grade=each.get("probability") or "", flagged=bool(each.get("blocked")))
        for each in ratings
    ]


def _logprobs(result: Mapping[str, Any]) -> list[TokenLogprob]:
    chosen = result.get("chosenCandidates") or ()
    tops = result.get("topCandidates") or ()
    return [
        TokenLogprob(
            token=(each.get("token") or "").encode("utf-8", "replace"),
            logprob=each.get("logProbability") or 0.0,
            alternatives=[
                TokenLogprob(
                    token=(other.get("token") or "").encode("utf-8", "replace"),
                    logprob=other.get("logProbability") or 0.0,
                )
                for other in (tops[number].get("candidates") or () if number < len(tops) else ())
            ],
        )
        for number, each in enumerate(chosen)
    ]
