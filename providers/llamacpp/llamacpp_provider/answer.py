"""The engine's pieces of an answer as what a provider yields. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mediaconduit.v1.events_pb2 import TokenLogprob
from mediaconduit_provider import Finish, FinishReason, Output, Progress, Reasoning, ToolCall, Usage
from mediaconduit_provider.outputs import Yielded

from llamacpp_provider.failures import from_answer

REASONS = {
    "stop": FinishReason.FINISH_REASON_STOP,
    "length": FinishReason.FINISH_REASON_LENGTH,
    "tool_calls": FinishReason.FINISH_REASON_TOOL_CALLS,
}


class Answer:
    """Reads one answer, piece by piece; `end` gives what is only known when all have come."""

    def __init__(self, media_type: str, alternatives: int) -> None:
        self._output = Output(media_type)
        self._alternatives = alternatives
        self._calls: dict[int, ToolCall] = {}
        self._usage = Usage()
        self._finish = Finish()

    def read(self, chunk: Mapping[str, Any]) -> Iterator[Yielded]:
        """What a piece says. Raises the typed error where it is one."""
        if error := chunk.get("error"):
            raise from_answer(error)
        if usage := chunk.get("usage"):
            self._usage = usage_of(usage)
        if (progress := chunk.get("prompt_progress")) and progress["processed"] < progress["total"]:
            yield Progress(stage="prompt", message=f"{progress['processed']} of {progress['total']} tokens read")
        for choice in chunk.get("choices", ()):
            yield from self._delta(choice.get("delta") or {}, choice.get("logprobs") or {})
            if reason := choice.get("finish_reason"):
                self._finish = Finish(
                    reason=REASONS.get(reason, FinishReason.FINISH_REASON_UNSPECIFIED), vendor_reason=reason
                )

    def _delta(self, delta: Mapping[str, Any], logprobs: Mapping[str, Any]) -> Iterator[Yielded]:
        if thought := delta.get("reasoning_content"):
            yield Reasoning(text=thought)
        if text := delta.get("content"):
            yield self._output.text(text, self._logprobs(logprobs.get("content") or ()))
        for piece in delta.get("tool_calls") or ():
            call = self._calls.setdefault(piece.get("index", 0), ToolCall())
            function = piece.get("function") or {}
            call.id = piece.get("id") or call.id
            call.name = function.get("name") or call.name
            call.arguments += function.get("arguments") or ""

    def _logprobs(self, tokens: Sequence[Mapping[str, Any]]) -> list[TokenLogprob]:
        return [
            TokenLogprob(
                token=bytes(token["bytes"]),
                logprob=token["logprob"],
                alternatives=[
                    TokenLogprob(token=bytes(other["bytes"]), logprob=other["logprob"])
                    for other in token.get("top_logprobs", ())[: self._alternatives]
                ],
            )
            for token in tokens
        ]

    def end(self) -> Iterator[Yielded]:
        """Calls of tools, usage, why it ended."""
        yield from (call for _, call in sorted(self._calls.items()))
        yield self._usage
        yield self._finish


def usage_of(usage: Mapping[str, Any]) -> Usage:
    """Tokens, each counted once. One's own machine charges nothing."""
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0)
    units = {
        "input-token": usage.get("prompt_tokens", 0) - cached,
        "cached-input-token": cached,
        "output-token": usage.get("completion_tokens", 0),
    }
    return Usage(units={unit: count for unit, count in units.items() if count}, nano_cost=0)
