"""The vendor's models: asked for in pages, used as they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from mediaconduit_provider import InputSpec

from mediaconduit_vendors.anthropic.abilities import abilities_of, features_of
from mediaconduit_vendors.anthropic.chat import Chat
from mediaconduit_vendors.anthropic.options import options_of
from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.kinds import Kind
from mediaconduit_vendors.prices import Listing
from mediaconduit_vendors.provider import VendorModel

IMAGES: Final = ("image/jpeg", "image/png", "image/gif", "image/webp")
"""Media types of images that the vendor takes."""
_FEATURES: Final = ("streaming", "tools", "parallel-tools", "prompt-caching", "token-counting")
"""What all models of the wire have."""


async def listed(api: Api) -> list[Mapping[str, Any]]:
    """All entries of the vendor's list."""
    entries: list[Mapping[str, Any]] = []
    params: dict[str, Any] = {"limit": 1000}
    while True:
        page, _ = await api.json(Request("GET", "/v1/models", params=params))
        entries += page["data"]
        if not page.get("has_more") or not page.get("last_id"):
            return entries
        params["after_id"] = page["last_id"]


def model_of(model_id: str, entry: Mapping[str, Any] | None, listing: Listing | None) -> VendorModel:
    """A model, by what the vendor's list says of it, and where that says nothing by what is known without it.

    Args:
        model_id: The vendor's.
        entry: Of the vendor's list; None = not asked.
        listing: Of the price file.
    """
    entry = entry or {}
    stated = entry.get("capabilities") or {}
    features = features_of(stated) if stated else listing.features if listing else ("json-schema", "vision")
    abilities = abilities_of(model_id, stated)
    return _kind(Chat(abilities), options_of(abilities, features), features).model(
        model_id,
        listing,
        display_name=entry.get("display_name") or "",
        context_tokens=entry.get("max_input_tokens") or 0,
        max_output_tokens=entry.get("max_tokens") or 0,
        released=_moment(entry.get("created_at")),
    )


def _kind(operation: Chat, options: Mapping[str, Any], features: Sequence[str]) -> Kind:
    media = ["text/*", "application/json"]
    capabilities = ["text-to-text"]
    if "vision" in features:
        media += IMAGES
        capabilities.append("image-to-text")
    if "pdf-input" in features:
        media.append("application/pdf")
    return Kind(
        operations=dict.fromkeys(capabilities, operation),
        options=options,
        inputs=(InputSpec(media_types=tuple(media)),),
        output_media_types=("text/plain", "application/json"),
        features=tuple(dict.fromkeys((*_FEATURES, *features))),
    )


def _moment(text: Any) -> datetime | None:
    """A time the vendor states; an early or missing one means that it does not know."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.year > 2000 else None
