"""An answer of a conversation under way: whose pieces go into which output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mediaconduit.v1.events_pb2 import TokenLogprob
from mediaconduit_provider import (
    Call,
    Citation,
    Finish,
    FinishReason,
    Output,
    OutputKind,
    Reasoning,
    ToolCall,
    Usage,
    VendorState,
)
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.usage import estimated_usage


class Answer:
    """Turns a vendor's pieces into what `transform` yields, for each of several candidates.

    Text of the only candidate is plain ``str``, the cheapest thing to yield. Whatever the vendor has not counted when
    the call ends is estimated from the characters that went by.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._media_type = "application/json" if call.options.text.json_schema else call.media_type("text/plain")
        # Text with probabilities needs an output with a name, and all of it must go into the same one.
        self._named = (call.options.candidates or 1) > 1 or call.options.text.HasField("top_logprobs")
        self._texts: dict[int, Output] = {}
        self._thoughts: dict[int, Output] = {}
        self._calls: dict[tuple[int, int | str], Output] = {}
        self._finishes: dict[int, Finish] = {}
        self._said: list[str] = []
        self._written = 0
        self.sources: list[Citation] = []
        """Named by the vendor before the text that has them."""
        self.usage: Usage | None = None
        """As the vendor counted; set by the wire."""
        call.meter(self.consumed)

    def text(self, text: str, candidate: int = 0, logprobs: Sequence[TokenLogprob] = ()) -> Yielded:
        """More text."""
        self._written += len(text)
        if not candidate:
            self._said.append(text)
        if not self._named:
            return text
        return self._text(candidate).text(text, logprobs)

    @property
    def said(self) -> str:
        """All text of the first candidate so far."""
        return "".join(self._said)

    def _text(self, candidate: int) -> Output:
        output = self._texts.get(candidate)
        if output is None:
            output = self._texts[candidate] = Output(self._media_type, candidate=candidate)
        return output

    def reasoning(self, text: str, candidate: int = 0) -> Yielded:
        """More reasoning."""
        self._written += len(text)
        if not self._named:
            return Reasoning(text=text)
        output = self._thoughts.get(candidate)
        if output is None:
            kind = OutputKind.OUTPUT_KIND_REASONING
            output = self._thoughts[candidate] = Output("", kind=kind, candidate=candidate)
        return output.text(text)

    def tool_call(
        self, key: int | str, *, id: str = "", name: str = "", arguments: str = "", candidate: int = 0
    ) -> Iterator[Yielded]:
        """A tool call begins, or more of its arguments.

        Args:
            key: Tells the calls of a candidate apart: the vendor's index or id.
            id: As the vendor gives it, with the first piece.
            name: Of the tool, with the first piece.
            arguments: More of them.
            candidate: Whose call it is.
        """
        self._written += len(arguments)
        output = self._calls.get((candidate, key))
        if output is None:
            call = ToolCall(id=id or f"call_{candidate}_{key}", name=name)
            output = self._calls[candidate, key] = Output("", tool_call=call, candidate=candidate)
            yield output
        if arguments:
            yield output.text(arguments)

    def state_of_call(self, key: int | str, state: VendorState, candidate: int = 0) -> Yielded:
        """What the vendor needs back with a tool call."""
        return self._calls[candidate, key].state(state)

    def finish(
        self, reason: FinishReason.ValueType, vendor_reason: str = "", candidate: int = 0, **more: object
    ) -> None:
        """Why a candidate ended."""
        self._finishes[candidate] = Finish(reason=reason, vendor_reason=vendor_reason, **more)  # type: ignore[arg-type]

    @property
    def calls(self) -> int:
        """How many tool calls have begun."""
        return len(self._calls)

    @property
    def finished(self) -> bool:
        """Whether the vendor said of any candidate why it ended."""
        return bool(self._finishes)

    def end(self) -> Iterator[Yielded]:
        """What is only known when all has come."""
        if self.usage is not None:
            yield self.usage
        yield from (finish for _, finish in sorted(self._finishes.items()))

    def consumed(self) -> Usage:
        """What the call has consumed so far."""
        if self.usage is not None:
            return self.usage
        read = sum(len(part.text) for turn in self._call.turns for part in turn.parts)
        return estimated_usage(read, self._written, self._call.model.pricing)
