"""Asking a made-up vendor through a real provider, served by its real host and called by the real client."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from mediaconduit import Result
from mediaconduit.errors import MediaConduitError
from mediaconduit.outputs import plain
from mediaconduit_provider.testing import Served, serve
from mediaconduit_vendors.testing import Reply, Request, Upstream

from tests.integration.vendors.matrix import KEY, QUICK, Case

REQUEST_ID = "req-made-up-1"
"""The vendor's id of every main request."""


@dataclass(frozen=True)
class Asking:
    """A made-up vendor, and a provider that asks it."""

    case: Case
    upstream: Upstream
    served: Served

    @property
    def request_id_header(self) -> str:
        """In which the vendor says its id of a request; empty when it has none."""
        return next(iter(self.served.host.provider.vendor.request_id_headers), "")  # type: ignore[attr-defined]

    def answer(self, answer: Reply | Sequence[Reply]) -> None:
        """Answers the main request so, from now on, with `REQUEST_ID`."""
        replies = [answer] if isinstance(answer, Reply) else answer
        more = {self.request_id_header: REQUEST_ID} if self.request_id_header else {}
        self.upstream.route(self.case.route, [replace(reply, headers={**reply.headers, **more}) for reply in replies])

    async def act(self) -> Any:
        """Does what the case does."""
        return await self.case.act(self.served, self.case)

    async def failure(self, answer: Reply) -> tuple[MediaConduitError, int]:
        """The error of what must fail with this answer, and how often the vendor was asked for it."""
        self.answer(answer)
        before = len(self.requests)
        with pytest.raises(MediaConduitError) as raised:
            await self.act()
        return raised.value, len(self.requests) - before

    @property
    def requests(self) -> list[Request]:
        """Those that the case is about, so far."""
        return [r for r in self.upstream.requests if (r.method, r.path) == (self.case.method, self.case.path)]

    async def request(self) -> Request:
        """The first of them; waits until it has come."""
        number = len(self.upstream.requests)
        while not self.requests:
            await self.upstream.request(number)
            number = len(self.upstream.requests)
        return self.requests[0]


@contextlib.asynccontextmanager
async def asking(
    case: Case, answer: Reply | None = None, *, quick: bool = False, check: Callable[[Request], None] | None = None
) -> AsyncIterator[Asking]:
    """The vendor, answering the main request so (None = as it should), and the provider.

    The made-up key is in the environment of this process from now on, as the host puts it there by Configure; a
    fixture takes it out after the test.
    """
    async with Upstream(case.routes, check=check) as upstream:
        settings = {**case.settings, **(QUICK if quick else {}), "base_url": upstream.url + case.base}
        provider = case.provider()
        if variable := getattr(getattr(provider, "vendor", None), "key", ""):
            os.environ[variable] = KEY
        async with serve(provider, provider_id=case.vendor, settings=settings) as served:
            asked = Asking(case, upstream, served)
            asked.answer(case.reply if answer is None else answer)
            yield asked


def comparable(result: Any) -> Any:
    """A result without what differs from call to call: ids and times."""
    if not isinstance(result, Result):
        return result
    return {
        "outputs": [(plain(o.started), o.media_type, o.text, o.data, plain(o.part)) for o in result.outputs],
        "finishes": [plain(finish) for finish in result.finishes],
        "usage": plain(result.usage),
        "notices": [plain(notice) for notice in result.notices],
        "vendor": (result.provenance.vendor_model, result.provenance.vendor_response_id),
    }
