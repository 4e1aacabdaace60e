"""What goes wrong with packages, as errors that say what to do next."""

from __future__ import annotations

import re
from typing import Final

import structlog
from mediaconduit.errors import MediaConduitError, NotFoundError, PreconditionError, Reason, UnavailableError

from mediaconduit_broker.manifest.read import NAMES
from mediaconduit_broker.runners.command import CommandFailedError
from mediaconduit_broker.sources.git_command import scrubbed
from mediaconduit_broker.sources.parse import PypiSource
from mediaconduit_broker.sources.store import no_room

_log = structlog.get_logger(__name__)

_NO_WHEEL: Final = re.compile(
    r"no usable wheels|has no wheels|no wheels with|building source distributions|--no-build", re.I
)
_MISSING: Final = re.compile(
    r"was not found in the package registry|there is no version of|not found in the|no versions of|"
    r"no source distribution|no usable",
    re.I,
)
_CREDENTIALS: Final = re.compile(r"\b40[13]\b|unauthorized|forbidden|authentication credentials", re.I)
_SPACE: Final = re.compile(r"no space left|disk quota", re.I)


def has_no_wheel(error: CommandFailedError) -> bool:
    """Whether uv says that the package is there, but not built."""
    return bool(_NO_WHEEL.search(_text(error)))


def explained(error: CommandFailedError, wanted: PypiSource) -> MediaConduitError:
    """What uv said, as one of our errors."""
    text = _text(error)
    _log.info("uv failed", source=wanted.origin, code=error.returncode, text=text[-2000:])
    if _SPACE.search(text):
        return no_room("no space left")
    if _CREDENTIALS.search(text):
        return no_credentials(wanted)
    if _MISSING.search(text):
        return missing(wanted)
    return not_downloaded(wanted)


def no_credentials(wanted: PypiSource) -> PreconditionError:
    """The index refuses whoever asks."""
    return PreconditionError(
        f"the package index asks for credentials for {_named(wanted)}",
        reason=Reason.CREDENTIALS_MISSING,
        hint="give them to uv: ~/.netrc, UV_INDEX_…_USERNAME and _PASSWORD, or a keyring",
        metadata={"source": wanted.origin},
    )


def missing(wanted: PypiSource) -> NotFoundError:
    """The index does not have it."""
    return NotFoundError(
        f"there is no package {_named(wanted)}",
        reason=Reason.SOURCE_NOT_FOUND,
        hint="check name and version; the index is the one uv is configured for (UV_DEFAULT_INDEX, uv.toml)",
        metadata={"source": wanted.origin, "suggestions": ""},
    )


def not_downloaded(wanted: PypiSource) -> UnavailableError:
    """It is there and does not come."""
    return UnavailableError(
        f"{_named(wanted)} could not be downloaded",
        reason=Reason.VENDOR_UNAVAILABLE,
        hint="check the network, the proxy and the index, then load it again",
        metadata={"source": wanted.origin},
    )


def no_provider(wanted: PypiSource, why: str) -> NotFoundError:
    """It is a package of another kind."""
    return NotFoundError(
        f"{wanted.origin} is no provider: it {why}",
        reason=Reason.SOURCE_NOT_FOUND,
        hint=f"a provider's package has one {NAMES[0]}, beside its code or at the top",
        metadata={"source": wanted.origin, "suggestions": ""},
    )


def only_by_running(wanted: PypiSource) -> PreconditionError:
    """A source distribution that says what it requires in code alone."""
    return PreconditionError(
        f"{_named(wanted)} has no wheel, and only its setup.py could say what it requires; that is code, and not run",
        reason=Reason.BUILD_FAILED,
        hint="take a version with a wheel, or ask its author to state [project] dependencies in pyproject.toml",
        metadata={"source": wanted.origin, "step": "fetch"},
    )


def _named(wanted: PypiSource) -> str:
    return f"{wanted.origin}=={wanted.version}" if wanted.version else wanted.origin


def _text(error: CommandFailedError) -> str:
    return " ".join(scrubbed(error.output).split())
