"""Names under which one model is known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_PREFIXES: Final = ("models/", "publishers/google/models/", "accounts/fireworks/models/")
_DAY, _MONTH = r"(?:[0-2]\d|3[01])", r"(?:0[1-9]|1[0-2])"
_DATE: Final = re.compile(
    rf"(?:[-@](?:20\d\d-{_MONTH}-{_DAY}|20\d\d{_MONTH}{_DAY}|{_MONTH}-20\d\d|{_MONTH}-{_DAY}|{_MONTH}{_DAY}|2\d{_MONTH})"
    r"|-latest|-0\d\d)$"
)
"""Dates as vendors write them ("-2024-08-06", "-20250929", "-09-2025", "-05-20", "-2508" or "-0125"), "-latest", and
Gemini's revisions ("-001")."""


def undated(model_id: str) -> str:
    """The model without its date or revision: "gpt-4o" for "gpt-4o-2024-08-06"."""
    return _DATE.sub("", model_id)


def variants(model_id: str) -> Iterator[str]:
    """The id, then what else the same model at the same price may be listed as, the nearest first."""
    names = [model_id]
    names += [model_id.removeprefix(prefix) for prefix in _PREFIXES if model_id.startswith(prefix)]
    if model_id.startswith("ft:"):
        # "ft:gpt-4o-2024-08-06:org:name:id" is priced as any fine-tuned model of that base.
        names.append(":".join(model_id.split(":", 2)[:2]))
    for name in names:
        yield name
        if (lower := name.lower()) != name:
            yield lower
    for name in names:
        if (base := undated(name)) != name:
            yield base
            yield f"{base}-latest"
