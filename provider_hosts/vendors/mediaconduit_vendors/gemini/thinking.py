"""How long a model may think, in the vendor's terms. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

from mediaconduit.v1.options_pb2 import TextOptions

_VERSION: Final = re.compile(r"gemini-(\d+)(?:\.(\d+))?")
_LEVELS: Final = {
    "none": "MINIMAL",
    "minimal": "MINIMAL",
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "max": "HIGH",
}
_BUDGETS: Final = {"none": 0, "minimal": 512, "low": 1024, "medium": 8192, "high": 16384, "max": 24576}
"""Tokens for models before Gemini 3, which think by budget alone; 24,576 is the most that all of them take."""


def version_of(model_id: str) -> tuple[int, int]:
    """ "gemini-2.5-flash" → (2, 5); the newest for a model without a number."""
    found = _VERSION.match(model_id)
    return (int(found[1]), int(found[2] or 0)) if found else (99, 0)


def thinking_of(text: TextOptions, model_id: str, shown: bool | None) -> dict[str, Any]:
    """ "generationConfig.thinkingConfig"; empty where nothing is to be said.

    Args:
        text: Options of the call.
        model_id: The vendor's.
        shown: Whether reasoning comes back; None = where it was asked for.
    """
    config: dict[str, Any] = {}
    effort = text.reasoning_effort
    if text.HasField("max_reasoning_tokens"):
        config["thinkingBudget"] = text.max_reasoning_tokens
    elif effort and version_of(model_id) < (3, 0):
        config["thinkingBudget"] = _BUDGETS[effort]
    elif effort:
        config["thinkingLevel"] = _LEVELS[effort]
    wanted = bool(config) and effort != "none" if shown is None else shown
    return config | ({"includeThoughts": True} if wanted else {})
