"""What is known of a model without asking its vendor."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from mediaconduit.v1.models_pb2 import Pricing

FEATURES: Final[frozenset[str]] = frozenset(
    {
        "audio-input",
        "audio-output",
        "computer-use",
        "image-output",
        "json-schema",
        "logprobs",
        "parallel-tools",
        "pdf-input",
        "prompt-caching",
        "reasoning",
        "tools",
        "video-input",
        "vision",
        "web-search",
    }
)
"""The features that price files and vendors' lists may name; docs/features.md says what each means."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A model as a price file, or OpenRouter's list, has it. What is not known is empty."""

    model_id: str
    """The vendor's id of the entry that was found, which may be the model without its date."""
    mode: str = ""
    """What it is for: "chat", "responses" (chat, but served by /responses alone), "completion", "embedding",
    "image_generation", "video_generation", "audio_speech", "audio_transcription", "realtime", "moderation", "rerank",
    "ocr"."""
    context_tokens: int = 0
    """Most tokens of input (of input and output together where the vendor counts so); 0 = unknown."""
    max_output_tokens: int = 0
    """Most tokens of output; 0 = unknown."""
    pricing: Pricing | None = None
    """In the units of the contract; None = unknown, without rates = free."""
    features: tuple[str, ...] = ()
    """Out of `FEATURES`, sorted."""
    retires: datetime.date | None = None
    """When the vendor stops serving it."""
    released: datetime.datetime | None = None
    """When it came out."""

    @property
    def free(self) -> bool:
        """Whether it is known to cost nothing."""
        return self.pricing is not None and not any(rate.nano_price for rate in self.pricing.rates)


ListingOf: TypeAlias = Callable[[str], Listing | None]
"""What is known of a model by its id, as `VendorProvider.listing`."""
