"""What a call made."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mediaconduit.errors import InternalError, InvalidRequestError
from mediaconduit.outputs import Output, plain
from mediaconduit.saving import Saver, write_file
from mediaconduit.v1.events_pb2 import Checkpoint, Finish, Notice, OutputKind, Provenance, Usage
from mediaconduit.v1.media_pb2 import Embedding, Role, Scores, ToolCall, Transcript, Turn


@dataclass(slots=True)
class Result:
    """What a call made."""

    generation: str = ""
    """"generations/{id}": the record of this call."""
    model: str = ""
    """The model really used."""
    outputs: list[Output] = field(default_factory=list)
    """In order of their numbers, previews included."""
    finishes: list[Finish] = field(default_factory=list)
    """Why each candidate ended."""
    usage: Usage = field(default_factory=Usage)
    """What it took."""
    provenance: Provenance = field(default_factory=Provenance)
    """How it came to be."""
    notices: list[Notice] = field(default_factory=list)
    """What to know and need not act on."""
    checkpoint: Checkpoint | None = None
    """The last one."""

    @property
    def text(self) -> str:
        """The visible answer of the first candidate: its texts and transcripts, joined."""
        return "".join(o.text for o in self._visible() if o.kind in _ANSWERS)

    @property
    def data(self) -> bytes:
        """Bytes of the first data output; empty when there is none."""
        return next((o.data for o in self._visible() if o.kind == OutputKind.OUTPUT_KIND_DATA), b"")

    @property
    def reasoning(self) -> str:
        """The reasoning of the first candidate."""
        return "".join(o.text for o in self._visible() if o.kind == OutputKind.OUTPUT_KIND_REASONING)

    @property
    def tool_calls(self) -> list[ToolCall]:
        """Calls the caller is to make; those the vendor runs itself are not among them."""
        parts = [o.part for o in self._visible() if o.kind == OutputKind.OUTPUT_KIND_TOOL_CALL]
        return [part.tool_call for part in parts if not part.tool_call.hosted]

    @property
    def transcript(self) -> Transcript | None:
        """The first transcript."""
        return next((o.part.transcript for o in self._visible() if o.part.HasField("transcript")), None)

    @property
    def embeddings(self) -> list[Embedding]:
        """The vectors, in the order of the items they were made from."""
        found = [o.part.embedding for o in self._visible() if o.part.HasField("embedding")]
        return sorted(found, key=lambda embedding: embedding.input)

    @property
    def scores(self) -> Scores | None:
        """The first verdict."""
        return next((o.part.scores for o in self._visible() if o.part.HasField("scores")), None)

    @property
    def turn(self) -> Turn:
        """The first candidate as the turn to send back."""
        return Turn(role=Role.ROLE_ASSISTANT, parts=[o.part for o in self._visible()])

    def json(self) -> Any:
        """The answer's text, parsed. Raises `InternalError` when it is no JSON."""
        try:
            return json.loads(self.text)
        except ValueError as error:
            raise InternalError(f"the answer is no JSON: {error}", hint="ask for it: text={'json_schema': …}") from None

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain data, bytes as facts about them. For machines."""
        return {
            "generation": self.generation,
            "model": self.model,
            "text": self.text,
            "outputs": [output.to_dict() for output in self.outputs],
            "finishes": [plain(finish) for finish in self.finishes],
            "usage": plain(self.usage),
            "provenance": plain(self.provenance),
            "notices": [plain(notice) for notice in self.notices],
        }

    def save(self, to: Path | str) -> list[Path]:
        """Writes the outputs: to a file the first data output, or else the text; into a folder all of both.

        Returns the files written. Raises `InvalidRequestError` when there is nothing to write.
        """
        saver = Saver(Path(to))
        outputs = [o for o in self._visible() if o.kind == OutputKind.OUTPUT_KIND_DATA or (saver.folder and o.text)]
        written: list[Path] = []
        for output in outputs:
            written.append(saver.path(output.started, len(written)))
            write_file(written[-1], _bytes(output))
        if not outputs and not saver.folder:
            written.append(saver.to)
            write_file(saver.to, self._as_text().encode())
        return written

    def _as_text(self) -> str:
        """What the answer looks like in a text file."""
        others = [o for o in self._visible() if o.kind not in _ANSWERS]
        if self.text or not others:
            return self.text
        return json.dumps([output.to_dict() for output in others], ensure_ascii=False, indent=1)

    def _visible(self) -> list[Output]:
        return [o for o in self.outputs if o.visible and o.candidate == 0]


_ANSWERS: Final = (OutputKind.OUTPUT_KIND_TEXT, OutputKind.OUTPUT_KIND_TRANSCRIPT)


def _bytes(output: Output) -> bytes:
    if output.part.HasField("asset"):
        raise InvalidRequestError(
            f"output {output.index} is held elsewhere: {output.part.asset.uri}",
            hint="fetch it from there, or call again without outputs_by_reference",
        )
    return output.data if output.kind == OutputKind.OUTPUT_KIND_DATA else output.text.encode()
