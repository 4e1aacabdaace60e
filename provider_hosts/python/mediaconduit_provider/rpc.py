"""The edge between gRPC and the host: whatever goes wrong leaves as a typed error and nothing else."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar, cast

import grpc
from mediaconduit.errors import InternalError, InvalidRequestError, MediaConduitError
from mediaconduit.status import abort

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])
Context = grpc.aio.ServicerContext[Any, Any]

CONTRACT_REVISION: Final = 1
"""Revision of the contract this host was built with."""
_PAGE: Final = 100

_log = logging.getLogger(__name__)


class CallerGoneError(Exception):
    """The other end of the call is not there any more: nobody reads how it ends."""


def typed(handler: F) -> F:
    """A handler ``(self, request, context)`` whose exceptions become the call's status.

    A typed error passes as it is, but for the provider's secrets; of anything else only an error id leaves the process,
    the rest goes to the logs.
    """

    @functools.wraps(handler)
    async def guarded(self: Any, request: Any, context: Any) -> Any:
        try:
            return await handler(self, request, context)
        except CallerGoneError:
            return None
        except MediaConduitError as known:
            error = known if (host := getattr(self, "_host", None)) is None else host.credentials.clean(known)
        except Exception:
            error = unexpected(handler.__name__)
        return await abort(context, error)

    return cast(F, guarded)


def unexpected(where: str) -> InternalError:
    """The error for the exception being handled, which is logged under its error id."""
    error = InternalError.unexpected()
    _log.exception("%s: error id %s", where, error.metadata["error_id"])
    return error


async def write(context: Context, message: Any) -> None:
    """Writes a message. Raises `CallerGoneError` when the caller has left."""
    try:
        await context.write(message)
    except Exception as error:  # of grpc's own making, and not one of its public types
        raise CallerGoneError from error


def page_of(items: Sequence[Any], size: int, token: str) -> tuple[Sequence[Any], str]:
    """A page and the token of the next one. Raises `InvalidRequestError` for a token nobody gave."""
    if token and not token.isdecimal():
        raise InvalidRequestError.at("page_token", "is not one that was given")
    first = int(token) if token else 0
    end = first + (size if size > 0 else _PAGE)
    return items[first:end], str(end) if end < len(items) else ""
