"""An answer under way: its candidates, why they ended, what it took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mediaconduit.errors import Reason
from mediaconduit.v1.events_pb2 import TokenLogprob
from mediaconduit_provider import (
    Call,
    Facts,
    Finish,
    FinishReason,
    InvalidRequestError,
    Notice,
    Output,
    Score,
    Scores,
    Usage,
)
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.gemini.candidate import Candidate, Media
from mediaconduit_vendors.gemini.grounding import searches_of
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


class Answer:
    """Turns chunks into what `transform` yields.

    Args:
        call: Whose answer.
        vendor: Short name of the vendor.
        media: What to do with media.
        transcript: Whether text is what was said in the input.
    """

    def __init__(self, call: Call, vendor: str, media: Media | None = None, *, transcript: bool = False) -> None:
        self._call = call
        self._vendor = vendor
        self._media = media or data_part
        options = call.options
        self._media_type = "application/json" if options.text.json_schema else "text/plain"
        self._transcript = transcript
        named = transcript or options.text.HasField("top_logprobs")
        self._plain = (options.candidates or 1) <= 1 and not named
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
            candidate = Candidate(index, self._media_type, self._vendor, plain=self._plain, transcript=self._transcript)
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
