"""The call that authors are given."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Callable, MutableMapping, Sequence
from pathlib import Path
from typing import Any

from mediaconduit.errors import InvalidRequestError
from mediaconduit.v1.events_pb2 import Notice, OutputKind, Usage
from mediaconduit.v1.media_pb2 import Part, Role, Turn
from mediaconduit.v1.transform_pb2 import TransformRequest

from mediaconduit_provider.call import Call, Input
from mediaconduit_provider.catalog import Entry
from mediaconduit_provider.inputs import ArrivingInput, WholeInput, text_of
from mediaconduit_provider.media_types import is_text, matches
from mediaconduit_provider.metadata import CallFacts
from mediaconduit_provider.options import option_at

_log = logging.getLogger("mediaconduit_provider.call")
_USER = frozenset({Role.ROLE_UNSPECIFIED, Role.ROLE_USER})
_CONTENT = frozenset({"text", "data", "asset", "stream"})


class HostCall(Call):
    """One call: what was asked, and the temporary folder that belongs to it."""

    def __init__(self, request: TransformRequest, entry: Entry, capability: str, facts: CallFacts) -> None:
        self.entry = entry
        self.model = entry.model
        self.capability = capability
        self.turns: Sequence[Turn] = request.turns
        self.options, self._values, self.notices = entry.schema.check(request.options)
        self.labels = dict(request.labels)
        self.affinity_key = request.affinity_key
        self.resume_token = request.resume_token
        self.generation = facts.generation
        self.caller = facts.caller
        self.log = _CallLog(_log, {"generation": facts.generation})
        self._deadline = facts.deadline
        self._folder: Path | None = None
        self._consumed: Callable[[], Usage] | None = None
        self._files = 0
        self._inputs: dict[str, Input] = {}
        self.arriving: dict[int, ArrivingInput] = {}

    @property
    def text(self) -> str:
        """Text of the last user turn's main input."""
        for turn in reversed(self.turns):
            if turn.role in _USER:
                return "\n".join(text for part in turn.parts if not part.name and (text := text_of(part)))
        return ""

    @property
    def system(self) -> str:
        """Text of the ROLE_SYSTEM turns."""
        texts = [part.text for turn in self.turns if turn.role == Role.ROLE_SYSTEM for part in turn.parts]
        return "\n\n".join(text for text in texts if text)

    def inputs(self, name: str = "") -> Sequence[Input]:
        """Inputs of the user turns with this name."""
        return [
            self._input_at(part, f"turns[{t}].parts[{p}]")
            for t, turn in enumerate(self.turns)
            if turn.role in _USER
            for p, part in enumerate(turn.parts)
            if part.name == name and part.WhichOneof("content") in _CONTENT
        ]

    def input(self, name: str = "") -> Input:
        """The first of `inputs`."""
        if found := self.inputs(name):
            return found[0]
        wanted = f"input {name!r}" if name else "an input"
        raise InvalidRequestError.at("turns", f"{wanted} is missing")

    def option(self, path: str, default: Any = None) -> Any:
        """An option by its path."""
        value = option_at(self._values, path)
        if value is not None:
            return value
        return default if default is not None else self.entry.schema.default(path)

    def media_type(self, *offered: str) -> str:
        """The media type to make."""
        choice = offered or tuple(self.model.output_media_types)
        wanted = self.options.output_media_types
        if not choice:
            return "application/octet-stream"
        for offer in choice:
            if not wanted or any(matches(pattern, offer) for pattern in wanted):
                return offer
        raise InvalidRequestError.at(
            "options.output_media_types", f"{', '.join(wanted)} cannot be made; there is {', '.join(choice)}"
        )

    @property
    def folder(self) -> Path:
        """A private folder, removed when the call ends."""
        if self._folder is None:
            from tempfile import mkdtemp

            self._folder = Path(mkdtemp(prefix="mediaconduit-call-"))
        return self._folder

    def remaining(self) -> float | None:
        """Seconds until the caller's deadline."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def meter(self, consumed: Callable[[], Usage]) -> None:
        """Says how to count what the call has consumed."""
        self._consumed = consumed

    # -- for the host -------------------------------------------------------------------------------------------------

    def media_type_for(self, kind: OutputKind.ValueType) -> str:
        """Media type of an output that the author began by yielding plain text or bytes."""
        textual = kind == OutputKind.OUTPUT_KIND_TEXT
        offered = [offer for offer in self.model.output_media_types if is_text(offer) == textual]
        if textual and self.options.text.json_schema:
            return "application/json"
        if offered:
            return self.media_type(*offered)
        return "text/plain" if textual else "application/octet-stream"

    def consumed(self) -> Usage | None:
        """What the author's meter says now; None without one."""
        return self._consumed() if self._consumed is not None else None

    def new_file(self) -> Path:
        """The path of a file that does not exist yet, in the call's folder."""
        self._files += 1
        return self.folder / f"input-{self._files}"

    def use_options(self, request: TransformRequest) -> list[Notice]:
        """Other options from here on."""
        self.options, self._values, notices = self.entry.schema.check(request.options)
        return notices

    async def gather_text(self) -> None:
        """Makes text that is still arriving part of the turns."""

    def fail_inputs(self, error: BaseException) -> None:
        """What has not come yet will not come: whoever waits for it gets the error."""
        for arriving in self.arriving.values():
            arriving.fail(error)

    async def release(self) -> None:
        """Removes the temporary folder, if there is one."""
        for arriving in self.arriving.values():
            arriving.dispose()
        if self._folder is not None:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    def _input_at(self, part: Part, field: str) -> Input:
        found = self._inputs.get(field)
        if found is None:
            arriving = self.arriving.get(part.stream) if part.HasField("stream") else None
            found = self._inputs[field] = arriving or WholeInput(part, field, self.new_file)
        return found


class _CallLog(logging.LoggerAdapter[logging.Logger]):
    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        extra = self.extra or {}
        return f"[{extra.get('generation')}] {msg}", kwargs
