"""What models of a kind have in common: which operation does which of their capabilities, with what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Any, Final

from mediaconduit_provider import InputSpec

from mediaconduit_vendors.prices import Listing
from mediaconduit_vendors.provider import Operation, VendorModel

TEXT: Final = InputSpec(media_types=("text/*", "application/json"))
"""A main input that is text."""

_CAPABILITY_OF: Final = {
    "vision": "image-to-text",
    "audio-input": "audio-to-text",
    "video-input": "video-to-text",
}
"""What a chat model with a feature can do beside text-to-text."""
_MEDIA_OF: Final = {
    "vision": ("image/*",),
    "audio-input": ("audio/*",),
    "video-input": ("video/*",),
    "pdf-input": ("application/pdf",),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """Models that are used alike."""

    operations: Mapping[str, Operation]
    """By capability."""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """As `Model.options`."""
    inputs: Sequence[InputSpec] = ()
    output_media_types: Sequence[str] = ()
    features: Sequence[str] = ()

    def model(self, model_id: str, listing: Listing | None = None, **facts: Any) -> VendorModel:
        """A model of this kind.

        Args:
            model_id: The vendor's.
            listing: What is known of it without asking the vendor.
            facts: Fields of `Model` that the vendor states; they win over the listing.
        """
        known = _facts(listing) if listing is not None else {}
        merged = {**known, **{name: value for name, value in facts.items() if value}}
        return VendorModel(
            id=model_id,
            capabilities=tuple(self.operations),
            options=self.options,
            inputs=self.inputs,
            output_media_types=self.output_media_types,
            operations=self.operations,
            **{**merged, "features": _joined(self.features, merged.get("features", ()))},
        )


def chat_kind(
    operation: Operation,
    options: Mapping[str, Mapping[str, Any]],
    features: Sequence[str],
    *,
    media: Sequence[str] = (),
) -> Kind:
    """A chat model by its features: which inputs it takes and which capabilities follow.

    Args:
        operation: What does the work, for all kinds of input.
        options: As `Model.options`.
        features: Of this model ("vision", "audio-input").
        media: Further media types of its input.
    """
    taken = [*TEXT.media_types, *media]
    for feature in features:
        taken += _MEDIA_OF.get(feature, ())
    capabilities = ["text-to-text", *(_CAPABILITY_OF[each] for each in features if each in _CAPABILITY_OF)]
    return Kind(
        operations=dict.fromkeys(capabilities, operation),
        options=options,
        inputs=(InputSpec(media_types=tuple(taken)),),
        output_media_types=("text/plain", "application/json"),
        features=_joined(("streaming",), features),
    )


def _facts(listing: Listing) -> dict[str, Any]:
    return {
        "context_tokens": listing.context_tokens,
        "max_output_tokens": listing.max_output_tokens,
        "pricing": listing.pricing,
        "features": listing.features,
        "released": listing.released,
        "retires": listing.retires and datetime.combine(listing.retires, time(), UTC),
    }


def _joined(first: Sequence[str], second: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
