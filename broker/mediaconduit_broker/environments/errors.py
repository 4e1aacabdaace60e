"""How environments fail: one error type, and what the output of uv means for whoever reads it."""

from __future__ import annotations

import re
from typing import Final

from mediaconduit.errors import PreconditionError, Reason

LAST_LINES_BYTES: Final = 2048
"""What an error carries of a build's output; the whole is in the build's log."""
_NO_SPACE: Final = re.compile(r"no space left|os error 28|disk quota", re.I)


def cannot_plan(message: str, *, hint: str) -> PreconditionError:
    """Nothing was started: what the repository says of its environment is wrong, or this machine lacks something."""
    return PreconditionError(message, reason=Reason.BUILD_FAILED, metadata={"step": "plan"}, hint=hint)


def not_allowed(message: str, *, hint: str, source: str, how_to_allow: str) -> PreconditionError:
    """The repository wants something that only the operator may permit.

    Args:
        message: What.
        hint: What to do next.
        source: What is not trusted: a repository, an index.
        how_to_allow: The command or the line of the configuration that would.
    """
    metadata = {"step": "plan", "source": source, "how_to_allow": how_to_allow}
    return PreconditionError(message, reason=Reason.SOURCE_NOT_TRUSTED, metadata=metadata, hint=hint)


def build_failed(step: str, message: str, output: str = "", *, hint: str = "") -> PreconditionError:
    """A step of a build failed.

    Args:
        step: "create", "install", "compile", "build", "check".
        message: What happened, where the output does not tell better.
        output: What the step wrote.
        hint: What to do next, where the output does not tell better.
    """
    # uv begins with where it works, which is nobody else's business.
    lines = [line for line in output.splitlines() if line.strip() and not line.startswith("Using ")]
    text = "\n".join(lines)
    if _NO_SPACE.search(text) or _NO_SPACE.search(message):
        message, hint = "the disk is full: the environment could not be built", "free some space, then load it again"
    elif step == "install":
        message, hint = _explained(message, lines)
    return PreconditionError(
        message,
        reason=Reason.BUILD_FAILED,
        hint=hint or "its last lines are in last_lines, the whole in `mediaconduit provider logs NAME --build`",
        metadata={"step": step, "last_lines": text[-LAST_LINES_BYTES:]},
    )


def _explained(message: str, lines: list[str]) -> tuple[str, str]:
    """Message and hint from what `uv pip install` wrote."""
    text = "\n".join(lines)
    if "no-build" in text or re.search(r"building source distributions .*disabled", text, re.I):
        return (
            "a dependency has no wheel for this machine",
            "pin a version that has one: building from source would run its author's code",
        )
    if "No solution found" in text or "unsatisfiable" in text:
        return (
            "the provider's requirements do not fit together",
            "\n".join(line.strip(" ╰─▶├×") for line in lines)[-480:],
        )
    if "Hash mismatch" in text:
        return (
            "a package is not what the repository pinned",
            "its hash differs from the one in the lock: lock it again once you know why",
        )
    if "Failed to fetch" in text or "error sending request" in text:
        return (
            "the package registry could not be reached",
            "check the network, the proxy and the certificates, then load it again: " + lines[-1].strip()[:200],
        )
    return message, "its last lines are in last_lines; mend the requirements and load it again"
