"""Models of OpenRouter's lists, and how each is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from mediaconduit_provider import InputSpec

from mediaconduit_vendors.kinds import TEXT, Kind, chat_kind
from mediaconduit_vendors.openai.kinds import embedding_kind, speech_kind, transcription_kind
from mediaconduit_vendors.openrouter.audio import RouterSpeech, RouterTranscription
from mediaconduit_vendors.openrouter.chat import RouterChat
from mediaconduit_vendors.openrouter.embeddings import RouterEmbeddings
from mediaconduit_vendors.openrouter.images import (
    RouterImages,
    StreamedRouterImages,
    image_options,
    image_types,
)
from mediaconduit_vendors.openrouter.options import CHAT_OPTIONS, chat_options
from mediaconduit_vendors.prices import Listing
from mediaconduit_vendors.provider import VendorModel

VARIANTS: Final = frozenset({"nitro", "floor", "online", "exacto", "extended", "thinking", "free"})
"""What may follow a model's id after a colon, to choose who serves it and how."""
_CHAT: Final = RouterChat()
_IMAGES: Final = (RouterImages(), StreamedRouterImages())
"""By whether images stream."""
_SPEECH: Final = speech_kind(RouterSpeech())
_PLAIN: Final[Mapping[str, Kind]] = {
    "embeddings": embedding_kind(RouterEmbeddings()),
    "transcription": transcription_kind(RouterTranscription()),
}
"""By what models make."""
_PDF: Final = ("application/pdf",)
"""Documents are read for models that cannot."""
_DESCRIPTION: Final = 300
"""Characters of a model's description that are kept."""


def model_of(
    entry: Mapping[str, Any], listing: Listing | None, drawing: Mapping[str, Any] | None
) -> VendorModel | None:
    """A model; None for one that has no operation here.

    Args:
        entry: Of the list of all models; empty for one that is only in the other.
        listing: What that list says of it.
        drawing: Of the list of those that make images; None for one that makes none that way.
    """
    architecture = entry.get("architecture") or {}
    makes = architecture.get("output_modalities") or (() if drawing else ("text",))
    kinds = []
    if "text" in makes and entry:
        kinds.append(_chat_kind(entry, listing, draws="image" in makes and drawing is None))
    if drawing is not None:
        kinds.append(_image_kind(drawing))
    if "speech" in makes:
        kinds.append(_speech_kind(entry))
    kinds += [kind for name, kind in _PLAIN.items() if name in makes]
    if not kinds:
        return None
    about = entry or drawing or {}
    model_id = str(about["id"])
    return _merged(kinds).model(
        model_id,
        listing,
        display_name=about.get("name") or "",
        description=str(about.get("description") or "").partition("\n")[0][:_DESCRIPTION],
        canonical_id=model_id.partition(":")[0].lower(),
    )


def unlisted(model_id: str, known: Mapping[str, VendorModel]) -> VendorModel | None:
    """A model under a name that no list has: a variant of a listed one, or one's own preset; None for others.

    Args:
        model_id: What was asked for.
        known: The listed ones; empty before there is a list.
    """
    base, colon, variant = model_id.rpartition(":")
    if colon and variant in VARIANTS and (found := known.get(base)) is not None:
        # Prices are those of who serves it then; what was charged is in the answer.
        return replace(found, id=model_id, pricing=None)
    if model_id.startswith("@preset/") or (not known and colon and variant in VARIANTS):
        return chat_kind(_CHAT, CHAT_OPTIONS, (), media=("image/*", *_PDF)).model(model_id)
    return None


def _chat_kind(entry: Mapping[str, Any], listing: Listing | None, *, draws: bool) -> Kind:
    features = listing.features if listing is not None else ()
    kind = chat_kind(_CHAT, chat_options(entry), features, media=_PDF)
    if not draws:
        return kind
    sources = ("text", "image") if "vision" in features else ("text",)
    drawn = {f"{source}-to-image": _CHAT for source in sources}
    return replace(
        kind,
        operations={**kind.operations, **drawn},
        output_media_types=(*kind.output_media_types, "image/png"),
    )


def _speech_kind(entry: Mapping[str, Any]) -> Kind:
    voices = entry.get("supported_voices")
    options = {**_SPEECH.options, **({"audio.voice": {"enum": list(voices)}} if voices else {})}
    samples = (InputSpec("voice", media_types=("audio/*",)), InputSpec("voice-text", media_types=TEXT.media_types))
    return replace(_SPEECH, options=options, inputs=(*_SPEECH.inputs, *samples))


def _image_kind(drawing: Mapping[str, Any]) -> Kind:
    operation = _IMAGES[bool(drawing.get("supports_streaming"))]
    listed = drawing.get("supported_parameters") or {}
    reads = (drawing.get("architecture") or {}).get("input_modalities") or ()
    sources = ["text"]
    if "image" in reads or "input_references" in listed:
        sources.append("image")
    most = (listed.get("input_references") or {}).get("max") or 16
    media_types = (*TEXT.media_types, *(("image/*",) if "image" in sources else ()))
    inputs: list[InputSpec] = [InputSpec(media_types=media_types)]
    if "image" in sources:
        inputs.append(InputSpec("reference", media_types=("image/*",), max_count=int(most)))
    return Kind(
        operations={f"{source}-to-image": operation for source in sources},
        options=image_options(drawing),
        inputs=inputs,
        output_media_types=image_types(drawing),
        features=("streaming",) if drawing.get("supports_streaming") else (),
    )


def _merged(kinds: Sequence[Kind]) -> Kind:
    """One kind that does what several do."""
    if len(kinds) == 1:
        return kinds[0]
    main: dict[str, list[str]] = {}
    for spec in (spec for kind in kinds for spec in kind.inputs):
        main.setdefault(spec.name, []).extend(spec.media_types)
    counts = {spec.name: spec.max_count for kind in kinds for spec in kind.inputs}
    return Kind(
        operations={capability: operation for kind in kinds for capability, operation in kind.operations.items()},
        options={path: schema for kind in kinds for path, schema in kind.options.items()},
        inputs=[
            InputSpec(name, media_types=tuple(dict.fromkeys(types)), max_count=counts[name])
            for name, types in main.items()
        ],
        output_media_types=tuple(dict.fromkeys(each for kind in kinds for each in kind.output_media_types)),
        features=tuple(dict.fromkeys(each for kind in kinds for each in kind.features)),
    )
