"""Resource names and pages, as requests give them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from mediaconduit.errors import InvalidRequestError

T = TypeVar("T")

PAGE_SIZE: Final = 100
MAX_PAGE_SIZE: Final = 1000


def provider_id_of(name: str, field: str = "provider") -> str:
    """The id in "providers/{provider}".

    Raises:
        InvalidRequestError: It is another name.
    """
    prefix, _, provider_id = name.partition("/")
    if prefix != "providers" or not provider_id or "/" in provider_id:
        raise InvalidRequestError.at(field, f"{name!r} is no provider", hint='write "providers/{provider}"')
    return provider_id


def page_of(items: Sequence[T], size: int, token: str) -> tuple[Sequence[T], str]:
    """A page and the token of the next one; empty on the last.

    Raises:
        InvalidRequestError: A negative size, or a token that is none of ours.
    """
    if size < 0:
        raise InvalidRequestError.at("page_size", "is negative")
    if token and not token.isdigit():
        raise InvalidRequestError.at("page_token", "is not one this server gave")
    start = int(token or 0)
    end = start + min(size or PAGE_SIZE, MAX_PAGE_SIZE)
    return items[start:end], str(end) if end < len(items) else ""
