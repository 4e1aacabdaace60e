"""What git says of a failure, as one of our errors. Its text stays in the logs."""

from __future__ import annotations

import re
from typing import Final

import structlog
from mediaconduit.errors import CallTimeoutError, MediaConduitError, NotFoundError, PreconditionError, Reason
from mediaconduit.errors import UnavailableError as Unavailable

from mediaconduit_broker.sources.git_command import GitFailedError
from mediaconduit_broker.sources.store import no_room

_log = structlog.get_logger(__name__)

_CREDENTIALS: Final = re.compile(
    r"could not read (username|password)|terminal prompts disabled|permission denied|returned error: 401"
    r"|no supported authentication",
    re.I,
)
_REJECTED: Final = re.compile(
    r"authentication failed|returned error: 403|invalid (username|credentials)|access denied", re.I
)
_MISSING: Final = re.compile(
    r"repository '.*' not found|repository not found|does not appear to be a git repository|returned error: 404"
    r"|not found: did you run|no such file or directory|does not exist",
    re.I,
)
_HOST_KEY: Final = re.compile(r"host key verification failed|authenticity of host", re.I)
_CERTIFICATE: Final = re.compile(r"certificate|SSL|TLS", re.I)
_COMMIT: Final = re.compile(
    r"not our ref|unadvertised object|bad object|couldn't find remote ref|remote error: upload-pack"
)
_SPACE: Final = re.compile(r"no space left|disk quota", re.I)


def explained(error: GitFailedError, repository: str) -> MediaConduitError:
    """For a failure to list or fetch."""
    text = error.text
    _log.info("git failed", repository=repository, code=error.returncode, text=text[-2000:])
    metadata = {"source": repository}
    if _SPACE.search(text):
        return no_room("no space left")
    if _HOST_KEY.search(text):
        return PreconditionError(
            f"the host of {repository} is not known to ssh",
            reason=Reason.SOURCE_NOT_TRUSTED,
            hint="add its key to known_hosts of the user the broker runs as (ssh-keyscan, after checking it)",
            metadata=metadata,
        )
    if _CREDENTIALS.search(text):
        return PreconditionError(
            f"{repository} asks for credentials, or does not exist",
            reason=Reason.CREDENTIALS_MISSING,
            hint="check the name; for a private repository give git credentials for it (git's credential helper, "
            "~/.netrc, an ssh key), or name a token in the table [sources.tokens] of the configuration",
            metadata=metadata,
        )
    if _REJECTED.search(text):
        return PreconditionError(
            f"the credentials for {repository} are refused",
            reason=Reason.CREDENTIALS_REJECTED,
            hint="renew them where git finds them (its credential helper, ~/.netrc, an ssh key), or the token that "
            "[sources.tokens] of the configuration names",
            metadata=metadata,
        )
    if _MISSING.search(text):
        return NotFoundError(
            f"there is no repository {repository}",
            reason=Reason.SOURCE_NOT_FOUND,
            hint="check the name; a private repository needs credentials",
            metadata=metadata | {"suggestions": ""},
        )
    hint = "check the network, the proxy and the name of the host, then load it again"
    if _CERTIFICATE.search(text):
        hint = "check the certificates this machine trusts (SSL_CERT_FILE), then load it again"
    return Unavailable(
        f"{repository} could not be reached", reason=Reason.VENDOR_UNAVAILABLE, hint=hint, metadata=metadata
    )


def no_such_commit(error: GitFailedError) -> bool:
    """Whether the server lacks a commit, or gives out only the tips of its branches."""
    return _COMMIT.search(error.text) is not None


def missing_commit(repository: str, commit: str) -> NotFoundError:
    """A commit nobody can fetch."""
    return NotFoundError(
        f"{repository} has no commit {commit}",
        reason=Reason.SOURCE_NOT_FOUND,
        hint="check it; a server that gives out only the tips of branches and tags needs one of those",
        metadata={"source": repository, "suggestions": ""},
    )


def too_slow(repository: str, seconds: float) -> CallTimeoutError:
    """The deadline passed."""
    return CallTimeoutError(
        f"{repository} was not fetched within {seconds:g} s",
        reason=Reason.VENDOR_TIMEOUT,
        hint="load it again, or raise limits.fetch_timeout in the configuration",
        metadata={"source": repository},
    )
