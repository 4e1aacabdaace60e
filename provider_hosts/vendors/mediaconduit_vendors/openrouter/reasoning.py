"""Reasoning as OpenRouter gives it, whole, so that it can be sent back as it came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

_GROWING: Final = {"reasoning.text": "text", "reasoning.summary": "summary", "reasoning.encrypted": "data"}
"""What comes in pieces, by type."""


class Details:
    """``reasoning_details`` put together from the pieces of a stream."""

    def __init__(self) -> None:
        self.whole: list[dict[str, Any]] = []
        """So far."""

    def add(self, pieces: Iterable[Mapping[str, Any]]) -> str:
        """Takes pieces; gives what they say that people may read."""
        said = []
        for piece in pieces:
            growing = _GROWING.get(piece.get("type") or "", "")
            more = piece.get(growing) or "" if growing else ""
            if growing and growing != "data":
                said.append(more)
            if self.whole and growing and _goes_on(self.whole[-1], piece):
                last = self.whole[-1]
                given = {name: value for name, value in piece.items() if value is not None}
                last.update(given | {growing: (last.get(growing) or "") + more})
            else:
                self.whole.append(dict(piece))
        return "".join(said)


def _goes_on(last: Mapping[str, Any], piece: Mapping[str, Any]) -> bool:
    """Whether a piece is more of the one before it."""
    if last.get("type") != piece.get("type"):
        return False
    if (ours := last.get("id")) and (other := piece.get("id")) and ours != other:
        return False
    index, other_index = last.get("index"), piece.get("index")
    if piece.get("type") == "reasoning.encrypted":
        # Sealed pieces are whole where nothing says that they belong together.
        return index is not None and index == other_index
    # A signature ends its text: what follows is another one.
    return index == other_index and not (last.get("signature") and piece.get("text"))
