"""The frame of the matrix: which operations of which vendors there are, and what is tried with each.

A row is an operation of a vendor as the project promises it; a column is a way for it to go:

- request: what is sent is what the vendor's own description allows;
- stream: the answer arrives as it should, while it is still being sent, however the network cuts it;
- error: refusals and errors in the middle have the right reason, and only what is safe is tried again;
- cancel: leaving a call closes the connection to the vendor;
- timeout: a vendor that says nothing ends the call.

`cases/<vendor>.py` fills rows in: ``CASES``, a list of `Case`, and ``NOT_APPLICABLE``, citations by operation for rows
that the vendor does not have.
"""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mediaconduit import Result
from mediaconduit.errors import Reason
from mediaconduit_provider import Provider
from mediaconduit_provider.testing import Served
from mediaconduit_vendors.testing import Answer, Reply

from tests.support.vendors.providers import provider_class

COLUMNS = ("request", "stream", "error", "cancel", "timeout")

ROWS: Mapping[str, Sequence[str]] = {
    "openai": (
        "chat",
        "responses",
        "embeddings",
        "images",
        "image edits",
        "speech",
        "transcription",
        "transcription, streamed",
        "moderation",
        "video",
    ),
    "together": (
        "chat",
        "chat with vision",
        "completions",
        "embeddings",
        "images",
        "speech",
        "transcription",
        "translation",
        "voices",
        "rerank",
        "video",
    ),
    "openrouter": ("chat with provider routing", "images", "embeddings", "speech", "transcription"),
    "xai": ("chat", "responses", "images", "image edits", "embeddings", "speech", "video"),
    "mistral": ("chat", "embeddings", "ocr", "speech", "transcription"),
    "azure-openai": ("chat", "embeddings"),
    "ollama": ("chat", "generate", "embeddings", "list", "pull", "show", "delete"),
    "openai-compatible": ("chat", "embeddings", "speech", "transcription"),
    "anthropic": (
        "messages",
        "tools",
        "thinking",
        "images in",
        "documents in",
        "prompt caching",
        "token counting",
    ),
    "gemini": ("generate", "stream", "tools", "images", "speech", "embeddings", "video"),
    "elevenlabs": (
        "speech",
        "speech with timestamps",
        "voices",
        "voice cloning",
        "speech-to-text",
        "sound effects",
        "voice changer",
    ),
    "huggingface": ("chat", "text-to-image", "text-to-speech", "speech-to-text", "embeddings"),
}
"""Every operation of every vendor that the project promises."""

UNFINISHED: frozenset[str] = frozenset()
"""Vendors whose cells may still be empty. Whoever fills the last one takes it out of here and writes the table."""

KEY = "sk-made-up-0123456789"
"""The key of made-up vendors. Must never be seen in an error."""

QUICK: Mapping[str, Any] = {"timeouts": {"headers": 0.4, "first_byte": 0.4, "idle": 0.4}}
"""Settings under which a vendor that says nothing is given up soon."""


async def transform(served: Served, case: Case) -> Result:
    """What most cases do."""
    return await served.model(case.model).transform(case.content, **case.keywords)


@dataclass(frozen=True)
class Refusal:
    """Something else the vendor may refuse, in its own format: a long prompt, a policy, an empty account, a field."""

    status: int
    body: Any
    reason: Reason
    field: str = ""
    """Path of the field it is about, in our request ("options.text.temperature")."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """An operation of a vendor, and what a good answer to it is."""

    vendor: str
    """A key of `ROWS`."""
    operation: str
    """One of its rows; several cases may share one."""
    path: str
    """Of the request that all is about: the whole path, as a route of `Upstream` ("/v1/chat/completions")."""
    reply: Reply
    """The vendor's answer to it, as its description or a recording has it; a piece is an event of a stream."""
    check: Callable[[Any], None]
    """Asserts that the result of `act` is right."""
    errors: Callable[[int], Any] | None = None
    """Body of a refusal with that status (401, 404, 429, 500, 529), in the vendor's own format."""
    description: str = ""
    """File in the folder of descriptions ("openai/openapi.json")."""
    undescribed: str = ""
    """Why there is none, citing what says so. One of both is needed."""
    beyond: Mapping[str, str] = field(default_factory=dict)
    """What a description leaves out, with a citation by the words of the problem ("query alt: not described")."""

    model: str = ""
    """Its bare id."""
    content: Any = "hi"
    """As for `mediaconduit.Model.transform`."""
    keywords: Mapping[str, Any] = field(default_factory=dict)
    """As for `mediaconduit.Model.transform`: options, inputs."""
    act: Callable[[Served, Case], Awaitable[Any]] = transform
    """Does it. Another one than `transform` for what is no transformation (voices, pulls); the result is compared."""
    method: str = "POST"
    variant: str = ""
    """Tells cases of one row apart."""

    make_provider: Callable[[], Provider] | None = None
    """None = the class that ``providers/<vendor>`` names as its entry."""
    base: str = ""
    """What the vendor's base URL has after the host ("/v1"): `settings.base_url` is the made-up vendor's with it."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """For Configure, beside `base_url`."""
    routes: Mapping[str, Answer] = field(default_factory=dict)
    """What else the vendor is asked on the way, by "METHOD /whole/path": lists of models, the state of a job."""

    streams: bool = True
    """Whether output comes before the reply has ended."""
    first: int = 1
    """Pieces of the reply after which the first output has come."""
    stream_error: bytes = b""
    """A piece that tells of an error after the first output, where the vendor has such."""
    stream_error_reason: Reason = Reason.VENDOR_UNAVAILABLE
    not_found: Reason = Reason.MODEL_NOT_FOUND
    """What 404 means for this operation."""
    refusals: Sequence[Refusal] = ()
    """What else it refuses."""
    metered: bool = True
    """Whether a call that is left after its first output has used something all the same."""
    not_applicable: Mapping[str, str] = field(default_factory=dict)
    """By column: why not, citing the description."""

    @property
    def name(self) -> str:
        """ "openai/chat", for people and test ids."""
        variant = f", {self.variant}" if self.variant else ""
        return f"{self.vendor}/{self.operation}{variant}"

    @property
    def route(self) -> str:
        """The main request, for `Upstream`."""
        return f"{self.method} {self.path}"

    def provider(self) -> Provider:
        """A provider of the vendor, not yet configured."""
        return self.make_provider() if self.make_provider is not None else provider_class(self.vendor)()


@dataclass(frozen=True)
class VendorCases:
    """What `cases/<vendor>.py` holds."""

    vendor: str
    cases: Sequence[Case]
    not_applicable: Mapping[str, str]
    """Citations by operation."""
    error: Exception | None = None
    """Why they cannot be read: a mistake in one vendor's cases is not to hide those of the others."""

    def cell(self, operation: str, column: str) -> str:
        """ "yes", "n/a: <citation>", or "" for an empty one."""
        if operation in self.not_applicable:
            return f"n/a: {self.not_applicable[operation]}"
        reasons = [_reason(case, column) for case in self.cases if case.operation == operation]
        return next(("yes" for reason in reasons if not reason), f"n/a: {reasons[0]}" if reasons else "")

    def gaps(self) -> list[str]:
        """Empty cells, and cells that nothing asks for."""
        rows = ROWS[self.vendor]
        named = [*(case.operation for case in self.cases), *self.not_applicable]
        empty = [f"{row}, {column}" for row in rows for column in COLUMNS if not self.cell(row, column)]
        return empty + [f"{name}: no such row" for name in named if name not in rows]


def _reason(case: Case, column: str) -> str:
    """Why a column is not for this case; empty when it is."""
    undescribed = case.undescribed if column == "request" and not case.description else ""
    return case.not_applicable.get(column, undescribed)


def load() -> Mapping[str, VendorCases]:
    """All cases, by vendor, in the order of `ROWS`."""
    return {vendor: _load(vendor) for vendor in ROWS}


def all_cases() -> Iterator[Case]:
    """Every case of every vendor."""
    for vendor in load().values():
        yield from vendor.cases


def _load(vendor: str) -> VendorCases:
    name = vendor.replace("-", "_")
    if not (Path(__file__).parent / "cases" / f"{name}.py").exists():
        return VendorCases(vendor, (), {})
    try:
        module = importlib.import_module(f"tests.integration.vendors.cases.{name}")
        return VendorCases(vendor, module.CASES, getattr(module, "NOT_APPLICABLE", {}))
    except Exception as error:
        return VendorCases(vendor, (), {}, error)
