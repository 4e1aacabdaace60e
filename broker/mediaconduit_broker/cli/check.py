"""One thing that ``doctor`` looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "note", "missing"]


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at and what was found."""

    name: str
    verdict: Verdict
    """"missing" is required and not there; "note" is something that is only sometimes wanted."""
    found: str
    hint: str = ""
