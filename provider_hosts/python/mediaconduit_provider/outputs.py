"""What `transform` may yield.

=========================  ============================================================================
yielded                    becomes
=========================  ============================================================================
``str``                    text, appended to the current text output
``bytes``                  data, appended to the current data output (media type: `Call.media_type`)
`File`                     an output with a file's content, in chunks, whole when the file ends
`Delta`                    more of one output among several, made by `Output` methods
`Output`                   starts that output now, before any content
`Reasoning`                reasoning, appended to the current reasoning output
`ToolCall`, `ToolResult`   an output of its own, complete
`Transcript`, `Segment`    a transcript, or a segment added to the current one
`Embedding`, `Scores`      an output of its own, complete
`Part`                     an output of its own, complete (an `Asset`, say)
`Citation`, `VendorState`  attached to the current output
`Progress`, `Notice`       passed on
`Usage`                    consumed so far in all; the last one is the call's usage
`Checkpoint`, `Signal`     passed on
`Finish`                   why a candidate ended; passed on at the end
`Facts`                    what the call's provenance shall say
=========================  ============================================================================

The host opens, numbers and completes outputs, hashes data, and ends the call.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from mediaconduit.v1.events_pb2 import (
    Checkpoint,
    Finish,
    Notice,
    OutputKind,
    Progress,
    Signal,
    TokenLogprob,
    Usage,
)
from mediaconduit.v1.media_pb2 import (
    Citation,
    Embedding,
    MediaInfo,
    Part,
    Reasoning,
    Role,
    Scores,
    Segment,
    ToolCall,
    ToolResult,
    Transcript,
    VendorState,
)


@dataclass(frozen=True, slots=True)
class File:
    """A file to stream as an output of its own. It is read while the caller reads, and not removed."""

    path: str | os.PathLike[str]
    media_type: str
    name: str = ""
    """``Part.name`` where a model makes several outputs ("thumbnail")."""
    info: MediaInfo | None = None
    """Facts read from the content."""


@dataclass(eq=False, slots=True)
class Output:
    """One output among several: make it, yield what its methods return. Completed at the end of the call at latest."""

    media_type: str
    kind: OutputKind.ValueType = OutputKind.OUTPUT_KIND_UNSPECIFIED
    """Unspecified = text for "text/*" and JSON, data for all else."""
    name: str = ""
    candidate: int = 0
    role: Role.ValueType = Role.ROLE_UNSPECIFIED
    """ROLE_USER for a transcript of the caller."""
    preview_of: Output | None = None
    """This one is an early look at that one."""
    turn: int = 0
    """Live sessions: which turn it belongs to."""
    tool_call: ToolCall | None = None
    """For a tool call whose arguments come in pieces, by `text`: its id and name."""
    index: int = field(default=-1, init=False)
    """Set by the host when the output starts."""

    def text(self, text: str, logprobs: Sequence[TokenLogprob] = ()) -> Delta:
        """More text."""
        return Delta(self, text=text, logprobs=logprobs)

    def data(self, data: bytes) -> Delta:
        """More bytes."""
        return Delta(self, data=data)

    def segment(self, segment: Segment) -> Delta:
        """A segment of a transcript, or in place of the one with its id."""
        return Delta(self, segment=segment)

    def cite(self, citation: Citation) -> Delta:
        """A source."""
        return Delta(self, citation=citation)

    def state(self, vendor_state: VendorState) -> Delta:
        """What the vendor needs back with this output."""
        return Delta(self, vendor_state=vendor_state)

    def done(self, info: MediaInfo | None = None) -> Delta:
        """Nothing more comes."""
        return Delta(self, done=True, info=info)


@dataclass(frozen=True, slots=True)
class Delta:
    """More of an output. Made by the methods of `Output`."""

    output: Output
    text: str | None = None
    data: bytes | None = None
    segment: Segment | None = None
    citation: Citation | None = None
    vendor_state: VendorState | None = None
    logprobs: Sequence[TokenLogprob] = ()
    done: bool = False
    info: MediaInfo | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a provider knows about how its output came to be; later ones add to earlier ones."""

    vendor_model: str = ""
    """The model as the vendor named it in its answer."""
    vendor_request_id: str = ""
    vendor_response_id: str = ""


Yielded: TypeAlias = (
    str
    | bytes
    | File
    | Output
    | Delta
    | Facts
    | Part
    | Reasoning
    | ToolCall
    | ToolResult
    | Transcript
    | Segment
    | Embedding
    | Scores
    | Citation
    | VendorState
    | Progress
    | Notice
    | Usage
    | Checkpoint
    | Signal
    | Finish
)
