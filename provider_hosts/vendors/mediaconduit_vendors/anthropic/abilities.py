"""What a model of this wire takes, which its vendor says of each, or its name says of those it says nothing about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

EFFORTS: Final = ("low", "medium", "high", "xhigh", "max")
"""The vendor's words for effort, the least first."""

_VERSION: Final = re.compile(r"claude-(?:[a-z]+-)?(\d+)(?:[-.](\d{1,2}))?(?!\d)")


@dataclass(frozen=True, slots=True)
class Abilities:
    """How a model may be asked."""

    sampling: bool = True
    """Takes temperature, top_p and top_k. "Models released after Claude Opus 4.6 do not" (the description)."""
    budget: bool = True
    """Thinks up to a number of tokens."""
    adaptive: bool = False
    """Decides itself how long to think."""
    efforts: tuple[str, ...] = ()
    """Words out of `EFFORTS` that it takes."""


def abilities_of(model_id: str, stated: Mapping[str, Any] | None = None) -> Abilities:
    """What a model takes.

    Args:
        model_id: The vendor's.
        stated: "capabilities" of the model in the vendor's list, where it was asked and says.
    """
    version = version_of(model_id)
    if version is None:
        return Abilities()
    sampling = version <= (4, 6)
    if stated:
        types = _at(stated, "thinking", "types")
        return Abilities(
            sampling=sampling,
            budget=_supported(types.get("enabled")),
            adaptive=_supported(types.get("adaptive")),
            efforts=tuple(word for word in EFFORTS if _supported(_at(stated, "effort").get(word))),
        )
    return Abilities(
        sampling=sampling,
        budget=(3, 7) <= version <= (4, 6),
        adaptive=version >= (4, 6),
        efforts=EFFORTS if version > (4, 6) else ("low", "medium", "high", "max") if version == (4, 6) else (),
    )


def version_of(model_id: str) -> tuple[int, int] | None:
    """ "claude-sonnet-4-5-20250929" → (4, 5); the newest for a Claude without a number; None for another model."""
    if not model_id.startswith("claude"):
        return None
    found = _VERSION.match(model_id)
    return (int(found[1]), int(found[2] or 0)) if found else (99, 0)


def features_of(stated: Mapping[str, Any]) -> tuple[str, ...]:
    """The contract's features for what the vendor's list says of a model."""
    names = {
        "image_input": "vision",
        "pdf_input": "pdf-input",
        "structured_outputs": "json-schema",
        "thinking": "reasoning",
        "citations": "citations",
        "code_execution": "code-execution",
    }
    return tuple(feature for name, feature in names.items() if _supported(stated.get(name)))


def _at(stated: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    node: Any = stated
    for step in path:
        node = node.get(step) if isinstance(node, Mapping) else None
    return node if isinstance(node, Mapping) else {}


def _supported(entry: Any) -> bool:
    return isinstance(entry, Mapping) and bool(entry.get("supported"))
