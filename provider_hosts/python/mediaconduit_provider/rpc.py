"""The edge between gRPC and the host: whatever goes wrong leaves as a typed error and nothing else."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from mediaconduit.errors import InternalError, MediaConduitError
from mediaconduit.status import abort

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])

_log = logging.getLogger(__name__)


def typed(handler: F) -> F:
    """A handler ``(self, request, context)`` whose exceptions become the call's status.

    A typed error passes as it is; of anything else only an error id leaves the process, the rest goes to the logs.
    """

    @functools.wraps(handler)
    async def guarded(self: Any, request: Any, context: Any) -> Any:
        try:
            return await handler(self, request, context)
        except MediaConduitError as known:
            error = known
        except Exception:
            error = unexpected(handler.__name__)
        return await abort(context, error)

    return cast(F, guarded)


def unexpected(where: str) -> InternalError:
    """The error for the exception being handled, which is logged under its error id."""
    error = InternalError.unexpected()
    _log.exception("%s: error id %s", where, error.metadata["error_id"])
    return error
