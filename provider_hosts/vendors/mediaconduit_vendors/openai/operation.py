"""What all operations of this style share: where they go, and how errors name the caller's fields."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any, ClassVar

from mediaconduit_provider import Call, Facts
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.api import Request
from mediaconduit_vendors.options import Schema, foreign_options, passed_on, paths_by_field
from mediaconduit_vendors.reply import Reply


class Address:
    """Where operations are: below the vendor's base URL."""

    def url(self, path: str, call: Call) -> str:
        """The path, or a whole URL, of an operation's path."""
        return path

    def params(self, path: str) -> Mapping[str, str] | None:
        """The query that goes with a path."""
        return None


class Operation:
    """One path of the API. Vendors override what they do differently; an instance serves all calls.

    Args:
        address: For vendors whose operations are elsewhere.
    """

    path: ClassVar[str]
    options: ClassVar[Mapping[str, Schema]] = {}
    """What it takes, by path in TransformOptions."""
    fields: ClassVar[Mapping[str, str]] = {}
    """Options that are passed on as they are, under the vendor's names."""
    places: ClassVar[Mapping[str, str]] = {}
    """Where in the caller's request the vendor's other fields come from, for errors ("prompt": "turns")."""

    def __init__(self, address: Address | None = None) -> None:
        self.address = address or Address()
        own = {path.removeprefix("extra."): f"options.{path}" for path in self.options if path.startswith("extra.")}
        self._paths = {**own, **paths_by_field(self.fields), **self.places}

    def path_for(self, call: Call) -> str:
        """The path for a call."""
        return self.path

    def url(self, call: Call) -> str:
        """Where it is sent."""
        return self.address.url(self.path_for(call), call)

    def headers(self, call: Call) -> Mapping[str, str]:
        """More headers."""
        return {}

    def params(self, call: Call) -> Mapping[str, str] | None:
        """The query."""
        return self.address.params(self.path_for(call))

    def model_name(self, call: Call) -> str:
        """The model as the vendor names it."""
        return call.model.id

    def passed_on(self, call: Call) -> dict[str, Any]:
        """The options that go as they are."""
        return passed_on(call, self.fields, without=foreign_options(call, self))

    def asked(
        self, call: Call, *, json: Any = None, data: Mapping[str, Any] | None = None, files: Any = None
    ) -> Request:
        """The request."""
        return Request(
            "POST",
            self.url(call),
            json=json,
            data=data,
            files=files,
            params=self.params(call),
            headers=self.headers(call),
            fields=self._paths,
            remaining=call.remaining(),
        )


def facts_of(answer: Any, reply: Reply) -> Facts:
    """Whom and what the vendor says it answered."""
    if not isinstance(answer, Mapping):
        return Facts(vendor_request_id=reply.request_id)
    return Facts(answer.get("model") or "", reply.request_id, answer.get("id") or "")


Outputs = AsyncGenerator[Yielded, None]
"""What an operation gives."""
