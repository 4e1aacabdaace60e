"""How long a model may think, in the vendor's terms. Pure."""

from __future__ import annotations

from typing import Any, Final

from mediaconduit.v1.options_pb2 import TextOptions
from mediaconduit_provider import InvalidRequestError

from mediaconduit_vendors.anthropic.abilities import Abilities

LEAST_BUDGET: Final = 1024
"""Tokens; the vendor takes no smaller one."""
_BUDGETS: Final = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "max": 32768}
"""Tokens for models that think by budget alone."""
_NEAREST: Final = {"minimal": "low", "max": "max"}


def thinking_of(
    text: TextOptions, abilities: Abilities, max_tokens: int, display: str | None
) -> tuple[dict[str, Any] | None, str | None]:
    """ "thinking" and "output_config.effort" of a request; None where nothing is to be said.

    Args:
        text: Options of the call.
        abilities: Of the model.
        max_tokens: Limit of all output, which thinking counts towards.
        display: "summarized", "omitted", or None for the vendor's default.
    """
    shown = {"display": display} if display else {}
    budget = text.max_reasoning_tokens if text.HasField("max_reasoning_tokens") else None
    effort = text.reasoning_effort
    if budget is not None and budget >= max_tokens:
        raise InvalidRequestError.at(
            "options.text.max_reasoning_tokens",
            f"must be less than max_output_tokens ({max_tokens}), which includes reasoning here",
        )
    word = _effort_word(effort, abilities)
    if budget is not None:
        return {"type": "enabled", "budget_tokens": budget, **shown}, word
    if effort == "none":
        return {"type": "disabled"}, None
    if not effort:
        return ({"type": "adaptive", **shown} if shown and abilities.adaptive else None), None
    if abilities.adaptive:
        return {"type": "adaptive", **shown}, word
    allowed = min(_BUDGETS[effort], max_tokens - 1)
    if not abilities.budget or allowed < LEAST_BUDGET:
        return None, word
    return {"type": "enabled", "budget_tokens": allowed, **shown}, word


def _effort_word(effort: str, abilities: Abilities) -> str | None:
    """The vendor's word for our effort; None where the model takes none."""
    if not effort or effort == "none" or not abilities.efforts:
        return None
    word = _NEAREST.get(effort, effort)
    return word if word in abilities.efforts else abilities.efforts[-1]
