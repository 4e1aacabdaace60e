"""What authors of providers subclass.

A complete provider::

    from mediaconduit_provider import Call, Model, Provider

    class Shout(Provider):
        models = [Model("default", capabilities=["text-to-text"])]

        async def transform(self, call: Call):
            for word in call.text.split():
                yield word.upper() + " "

What `transform` may yield is listed in `mediaconduit_provider.outputs`, what it is given in
`mediaconduit_provider.call`.
Content has the contract's own message types, re-exported here, so that there is one vocabulary from author to client.
"""

from mediaconduit.errors import (
    AccessError,
    CallTimeoutError,
    ExhaustedError,
    FieldViolation,
    InternalError,
    InvalidRequestError,
    MediaConduitError,
    NotFoundError,
    PreconditionError,
    Reason,
    UnavailableError,
)
from mediaconduit.v1.events_pb2 import (
    Checkpoint,
    Finish,
    FinishReason,
    Notice,
    OutputKind,
    Progress,
    Signal,
    SignalKind,
    Usage,
)
from mediaconduit.v1.media_pb2 import (
    Asset,
    Citation,
    Embedding,
    MediaInfo,
    Part,
    Reasoning,
    Role,
    Score,
    Scores,
    Segment,
    ToolCall,
    ToolResult,
    Transcript,
    Turn,
    VendorState,
)
from mediaconduit.v1.models_pb2 import ModelState, Pricing, Rate
from mediaconduit.v1.voices_pb2 import Voice, VoiceOrigin

from mediaconduit_provider.call import Call, Input, InterruptRequest, RespondRequest, Session
from mediaconduit_provider.outputs import Delta, Facts, File, Output
from mediaconduit_provider.provider import InputSpec, Model, Provider, PullProgress

__all__ = [
    "AccessError",
    "Asset",
    "Call",
    "CallTimeoutError",
    "Checkpoint",
    "Citation",
    "Delta",
    "Embedding",
    "ExhaustedError",
    "Facts",
    "FieldViolation",
    "File",
    "Finish",
    "FinishReason",
    "Input",
    "InputSpec",
    "InternalError",
    "InterruptRequest",
    "InvalidRequestError",
    "MediaConduitError",
    "MediaInfo",
    "Model",
    "ModelState",
    "NotFoundError",
    "Notice",
    "Output",
    "OutputKind",
    "Part",
    "PreconditionError",
    "Pricing",
    "Progress",
    "Provider",
    "PullProgress",
    "Rate",
    "Reason",
    "Reasoning",
    "RespondRequest",
    "Role",
    "Score",
    "Scores",
    "Segment",
    "Session",
    "Signal",
    "SignalKind",
    "ToolCall",
    "ToolResult",
    "Transcript",
    "Turn",
    "UnavailableError",
    "Usage",
    "VendorState",
    "Voice",
    "VoiceOrigin",
]
