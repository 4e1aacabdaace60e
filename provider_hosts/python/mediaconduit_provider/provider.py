"""The class authors subclass, and how they describe their models."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from mediaconduit.v1.events_pb2 import Progress
from mediaconduit.v1.models_pb2 import ModelState, Pricing
from mediaconduit.v1.voices_pb2 import CreateVoiceRequest, Voice

if TYPE_CHECKING:
    from mediaconduit_provider.call import Call, Session
    from mediaconduit_provider.outputs import Yielded

Schema = Mapping[str, Any]
"""JSON Schema as Python data."""


@dataclass(frozen=True, slots=True)
class InputSpec:
    """An input a model takes. The host enforces it before and while the input arrives."""

    name: str = ""
    """``Part.name``; empty for the main input."""
    media_types: Sequence[str] = ()
    """Accepted media types ("audio/*"); empty accepts any."""
    required: bool = False
    """A call without it is refused."""
    max_bytes: int = 0
    """Largest size in bytes; 0 = no limit."""
    max_count: int = 1
    """Most parts with this name."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model of a provider."""

    id: str
    """The vendor's own id; becomes "providers/{provider}/models/{id}"."""
    capabilities: Sequence[str]
    """What it does ("text-to-audio")."""
    display_name: str = ""
    description: str = ""
    options: Mapping[str, Schema] = field(default_factory=dict)
    """The options it takes: JSON Schema by path, ``{"audio.speed": {"type": "number", "minimum": 0.5}}``. Shared
    options have their path in ``TransformOptions`` ("seed", "text.temperature", durations in seconds); the model's own
    begin with "extra.". Any other option is refused, or dropped where the caller is lenient."""
    inputs: Sequence[InputSpec] = ()
    """Inputs with names, media types, limits; the main one is taken as it comes when not listed."""
    output_media_types: Sequence[str] = ()
    """What it can make, the default first ("audio/wav")."""
    features: Sequence[str] = ()
    """Finer than capabilities ("streaming", "tools", "live")."""
    context_tokens: int = 0
    """Tokens of input and output together; 0 = unknown."""
    max_output_tokens: int = 0
    """0 = unknown."""
    pricing: Pricing | None = None
    """None = unknown; without rates = free."""
    state: ModelState.ValueType = ModelState.MODEL_STATE_UNSPECIFIED
    """For models on this machine."""
    canonical_id: str = ""
    """The same for the same model at other providers."""
    released: datetime | None = None
    """When the vendor brought it out."""
    retires: datetime | None = None
    """When the vendor stops serving it."""


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far the fetch of a model is."""

    stage: str
    """"manifest", "download", "verify" or the vendor's own."""
    completed_bytes: int = 0
    total_bytes: int = 0
    """0 = unknown."""
    message: str = ""


class Provider:
    """Turns media into media.

    Subclass it, list `models` and write `transform`. Everything else is optional. One instance serves all calls of a
    sidecar, concurrently, on one event loop: blocking work belongs into a synchronous `transform`, which the host runs
    in a thread.

    Raise the errors of `mediaconduit_provider` where the caller can do something about it. Anything else that escapes
    becomes INTERNAL with an error id, and its text goes to the logs only.
    """

    models: Sequence[Model] = ()
    """What `list_models` gives, unless it is overridden."""
    id: ClassVar[str] = ""
    """Used where nobody says which id it is to have; empty = the class name in lower case."""
    display_name: ClassVar[str] = ""
    """For people; empty = the class name."""
    settings_schema: ClassVar[Schema] = {"type": "object", "additionalProperties": False}
    """JSON Schema of `settings`; secrets are marked ``"writeOnly": true``."""
    max_concurrency: int = 16
    """Calls at once; one more is refused with RESOURCE_EXHAUSTED. 0 = no limit."""
    loading_progress: Progress | None = None
    """As last reported by `report_loading`."""
    models_provisional: bool = False
    """True while what `list_models` gave last is not what the vendor has, because it has not been asked or has not
    answered. Whoever lists them asks again soon."""
    settings: Mapping[str, Any] = {}
    """As last configured, validated, with the schema's defaults filled in by whoever reads them."""

    def report_loading(self, fraction: float | None = None, message: str = "") -> None:
        """Says how far `setup` is. With every change whoever waits for the provider gives it more time.

        Args:
            fraction: 0 to 1; None when unknown.
            message: For people ("weights, 3 of 7").
        """
        self.loading_progress = Progress(stage="loading", message=message, fraction=fraction)

    async def setup(self) -> None:
        """Prepares what calls need. The sidecar is LOADING until this returns; an exception ends it."""

    async def configure(self, settings: Mapping[str, Any]) -> None:
        """Takes validated settings, replacing those before. Raise `InvalidRequestError` to refuse them."""
        self.settings = settings

    async def close(self) -> None:
        """Frees what `setup` took; also runs after a `setup` that failed."""

    async def list_models(self, *, refresh: bool = False) -> Sequence[Model]:
        """The models, from a cache unless `refresh` is set."""
        return self.models

    async def find_model(self, model_id: str) -> Model | None:
        """A model that may not be listed: for vendors that serve more than they list. None = there is none.

        Asked once for each id, before `list_models`: it should not have to ask anyone.
        """
        return None

    def transform(self, call: Call) -> AsyncIterator[Yielded] | Iterable[Yielded]:
        """Does the work: an async generator, or a plain generator that the host runs in a thread.

        Cancelling the call cancels an async generator where it awaits, and closes a plain one at its next yield.
        """
        raise NotImplementedError

    def live(self, session: Session) -> AsyncIterator[Yielded]:
        """A conversation: turns come in while outputs go out. For models with the feature "live"; async only."""
        raise NotImplementedError

    async def list_voices(self) -> Sequence[Voice]:
        """Voices to speak with; ``Voice.name`` and ``Voice.models`` may be bare ids.

        Overriding it serves `mediaconduit.v1.Voices`.
        """
        raise NotImplementedError

    async def create_voice(self, request: CreateVoiceRequest) -> Voice:
        """Makes a voice."""
        raise NotImplementedError

    async def delete_voice(self, voice_id: str) -> None:
        """Removes a voice that was made."""
        raise NotImplementedError

    def pull_model(self, model_id: str) -> AsyncIterator[PullProgress]:
        """Fetches a model; an async generator. Overriding it serves `mediaconduit.v1.LocalModels`."""
        raise NotImplementedError

    async def delete_model(self, model_id: str) -> None:
        """Removes a model from disk."""
        raise NotImplementedError
