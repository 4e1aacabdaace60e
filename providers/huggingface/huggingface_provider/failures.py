"""What Hugging Face says went wrong: OpenAI's style from the router, plainer from its own inference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mediaconduit_vendors.failures import Failure
from mediaconduit_vendors.vendor import read_openai_failure


def read_failure(body: Any) -> Failure:
    """Reads the body of an error. A model that is being loaded says how long that takes."""
    failure = read_openai_failure(body)
    if not isinstance(body, Mapping):
        return failure
    if isinstance(errors := body.get("error"), list):
        failure = replace(failure, message="; ".join(str(error) for error in errors))
    if (seconds := body.get("estimated_time")) is not None:
        failure = replace(failure, retry_after=float(seconds))
    return failure
