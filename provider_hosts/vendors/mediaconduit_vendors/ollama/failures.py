"""What an Ollama server says went wrong: ``{"error": "text"}``, with nothing finer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mediaconduit_vendors.failures import Failure
from mediaconduit_vendors.vendor import read_openai_failure


def read_failure(body: Any) -> Failure:
    """Reads an error, of an answer or of a line."""
    failure = read_openai_failure(body)
    missing = "not found" in failure.message or "does not exist" in failure.message
    return replace(failure, code="model_not_found") if missing else failure
