"""The blocks of an answer under way, as outputs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mediaconduit_provider import Output, OutputKind, Part, Reasoning, ToolCall, ToolResult
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.anthropic.citations import citation_of, sent_back
from mediaconduit_vendors.content import state_from

_DIRECT: Final = {"type": "direct"}
_SEALED: Final = frozenset({"encrypted_content", "encrypted_stdout", "encrypted_index"})
"""Keys that nobody but the vendor can read: they travel as vendor state alone."""


class Blocks:
    """Turns the events of content blocks into outputs: each block is one, in the vendor's order.

    Args:
        vendor: Short name of the vendor, whose state the outputs carry.
        media_type: Of text.
    """

    def __init__(self, vendor: str, media_type: str) -> None:
        self._vendor = vendor
        self._media_type = media_type
        self._outputs: dict[int, Output] = {}
        self._begun: set[int] = set()
        self._current = -1
        """The text block that plain text goes to."""
        self._cited: dict[int, list[dict[str, Any]]] = {}
        self._callers: dict[int, dict[str, Any]] = {}
        self._ran: list[Output] = []
        """Code that the vendor ran: these stay open, for the container it ran in is told at the end."""
        self.written = 0
        """Characters so far."""

    def start(self, index: int, block: Mapping[str, Any]) -> Iterator[Yielded]:
        """A block begins, or comes whole."""
        kind = block.get("type", "")
        if kind == "text":
            self._outputs[index] = Output(self._media_type)
            if text := block.get("text"):
                yield from self.delta(index, {"type": "text_delta", "text": text})
            for citation in block.get("citations") or ():
                yield from self._cite(index, citation)
        elif kind == "thinking":
            self._outputs[index] = Output("", kind=OutputKind.OUTPUT_KIND_REASONING)
            yield from self._begin(index)
            if thought := block.get("thinking"):
                yield self._more(index, thought)
            if signature := block.get("signature"):
                yield self._sign(index, signature)
        elif kind == "redacted_thinking":
            state = state_from({"data": block.get("data", "")}, self._vendor)
            yield Part(reasoning=Reasoning(redacted=True), vendor_state=state)
        elif kind in ("tool_use", "server_tool_use"):
            yield from self._tool_call(index, block, hosted=kind == "server_tool_use")
        elif kind.endswith("_tool_result"):
            yield self._tool_result(block)

    def delta(self, index: int, delta: Mapping[str, Any]) -> Iterator[Yielded]:
        """More of a block. Kinds of a later revision, and of blocks not known, are left out."""
        kind = delta.get("type")
        if kind == "text_delta":
            if index != self._current and index in self._outputs:
                self._current = index
                yield from self._begin(index)
            self.written += len(delta["text"])
            yield delta["text"]
        elif index not in self._outputs:
            return
        elif kind == "input_json_delta":
            if piece := delta.get("partial_json"):
                yield self._more(index, piece)
        elif kind == "thinking_delta":
            yield self._more(index, delta.get("thinking") or "")
        elif kind == "signature_delta":
            yield self._sign(index, delta.get("signature") or "")
        elif kind == "citations_delta":
            yield from self._cite(index, delta["citation"])

    def stop(self, index: int) -> Iterator[Yielded]:
        """A block is whole."""
        output = self._outputs.pop(index, None)
        if output is None:
            return
        if cited := self._cited.pop(index, None):
            yield output.state(state_from(cited, self._vendor))
        if caller := self._callers.pop(index, None):
            yield output.state(state_from({"caller": caller}, self._vendor))
        self._current = -1
        if index in self._begun and output not in self._ran:
            yield output.done()

    def ran_in(self, container: str) -> Iterator[Yielded]:
        """Where the vendor ran code: to be sent back, so that the next code finds its files."""
        for output in self._ran:
            yield output.state(state_from({"container": container}, self._vendor))

    # -- inside -------------------------------------------------------------------------------------------------------

    def _begin(self, index: int) -> Iterator[Yielded]:
        if index not in self._begun:
            self._begun.add(index)
            yield self._outputs[index]

    def _more(self, index: int, text: str) -> Yielded:
        self.written += len(text)
        return self._outputs[index].text(text)

    def _sign(self, index: int, signature: str) -> Yielded:
        return self._outputs[index].state(state_from({"signature": signature}, self._vendor))

    def _cite(self, index: int, citation: Mapping[str, Any]) -> Iterator[Yielded]:
        self._cited.setdefault(index, []).append(sent_back(citation))
        yield from self._begin(index)
        yield self._outputs[index].cite(citation_of(citation))

    def _tool_call(self, index: int, block: Mapping[str, Any], *, hosted: bool) -> Iterator[Yielded]:
        call = ToolCall(id=block.get("id", ""), name=block.get("name", ""), hosted=hosted)
        output = self._outputs[index] = Output("", tool_call=call)
        if hosted and "code_execution" in call.name:
            self._ran.append(output)
        elif (caller := block.get("caller")) and caller != _DIRECT:
            self._callers[index] = caller
        yield from self._begin(index)
        if arguments := block.get("input"):
            yield self._more(index, json.dumps(arguments, ensure_ascii=False))

    def _tool_result(self, block: Mapping[str, Any]) -> Yielded:
        content = block.get("content")
        failed = isinstance(content, Mapping) and str(content.get("type", "")).endswith("_error")
        readable = Part(media_type="application/json", text=json.dumps(_readable(content), ensure_ascii=False))
        result = ToolResult(call_id=block.get("tool_use_id", ""), parts=[readable], is_error=failed)
        return Part(tool_result=result, vendor_state=state_from(block, self._vendor))


def _readable(content: Any) -> Any:
    """What a tool answered, without what nobody can read."""
    if isinstance(content, list):
        return [_readable(each) for each in content]
    if isinstance(content, Mapping):
        return {key: _readable(value) for key, value in content.items() if key not in _SEALED}
    return content
