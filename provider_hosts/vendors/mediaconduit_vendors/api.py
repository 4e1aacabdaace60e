"""Requests to one vendor: one pool, one gate, one retry budget for all that talks to it.

Foreign errors end here: what leaves this module is an error of `mediaconduit.errors`.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import httpx2
import stamina
from mediaconduit.errors import CallTimeoutError, MediaConduitError, PreconditionError, Reason, UnavailableError

from mediaconduit_vendors.failures import error_of
from mediaconduit_vendors.limits import LONGEST_WAIT, Gate, retry_after
from mediaconduit_vendors.reply import Reply, decoded
from mediaconduit_vendors.retries import SAFE_STATUSES, Budget, RefusedError, backoff
from mediaconduit_vendors.vendor import Timeouts, Vendor

_CONNECTIONS: Final = httpx2.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=60.0)


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a vendor."""

    method: str
    path: str
    """Below the vendor's base URL, with a slash at its start; or a whole URL of the vendor's."""
    json: Any = None
    data: Mapping[str, Any] | None = None
    """Fields of a form."""
    files: Any = None
    """Files of a form, as httpx2 takes them."""
    content: bytes | AsyncIterable[bytes] | None = None
    """A body as it stands; one that comes in pieces is iterated anew for every try."""
    params: Mapping[str, Any] | None = None
    headers: Mapping[str, str] | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    """Paths in the caller's request by the vendor's names, for errors ("max_tokens")."""
    remaining: float | None = None
    """Seconds until the caller's deadline, which no retry waits past."""
    redirects: int = 0
    """How many redirections are followed; the key goes to the vendor's own address alone."""
    shared: bool = False
    """Answered at once and small, so that nobody leaves it early: over HTTP/2 where the vendor serves it."""


class Api:
    """One vendor with one set of settings.

    Args:
        vendor: Whom it talks to.
        key: Gives the key now; empty = none.
        base_url: In place of the vendor's; empty = the vendor's.
        timeouts: How long the vendor may take.
        attempts: Tries of one request in all.
        poll_interval: Seconds between two questions how a job of the vendor's stands.
    """

    def __init__(
        self,
        vendor: Vendor,
        *,
        key: Callable[[], str],
        base_url: str = "",
        timeouts: Timeouts | None = None,
        attempts: int = 3,
        poll_interval: float = 3.0,
    ) -> None:
        self.vendor = vendor
        self.timeouts = timeouts or Timeouts()
        self.base_url = (base_url or vendor.base_url).rstrip("/")
        self.poll_interval = poll_interval
        self.gate = Gate()
        self._key = key
        self._attempts = attempts
        self._budget = Budget()
        waits = httpx2.Timeout(self.timeouts.headers, connect=self.timeouts.connect, pool=None)
        trusted = _trusted()
        self._client = httpx2.AsyncClient(verify=trusted, limits=_CONNECTIONS, timeout=waits)
        # Leaving an answer early ends an HTTP/1.1 connection, but not a stream of an HTTP/2 connection: the vendor
        # would go on working. So only what is answered at once shares a connection.
        self._shared = httpx2.AsyncClient(verify=trusted, limits=_CONNECTIONS, timeout=waits, http2=True)
        self._users = 0
        self._retired = False

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._client.aclose()
        await self._shared.aclose()

    async def retire(self) -> None:
        """Closes when the last request under way has ended."""
        self._retired = True
        if not self._users:
            await self.aclose()

    @property
    def key(self) -> str:
        """The key. Raises `PreconditionError`, CREDENTIALS_MISSING, when there is none and must be one."""
        key = self._key()
        if not key and self.vendor.key_required:
            raise PreconditionError(
                f"{self.vendor.name} needs a key, which was not given",
                reason=Reason.CREDENTIALS_MISSING,
                metadata={"variable": self.vendor.key},
                hint=f"put {self.vendor.key} where the broker looks for secrets, and refresh the provider",
            )
        return key

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Reply]:
        """Sends a request and gives the answer while it comes; leaving closes it, and what was not read is not sent.

        Tried again only before anything of an answer was seen, and only what is safe to send twice.

        Raises:
            MediaConduitError: As the vendor refused it, or CREDENTIALS_MISSING, VENDOR_UNAVAILABLE, VENDOR_TIMEOUT.
        """
        self._users += 1
        try:
            response = await self._send(request)
            try:
                request_id = request_id_of(response.headers, self.vendor)
                yield Reply(response, self.timeouts, self._failed(request), request_id)
            finally:
                await response.aclose()
        finally:
            self._users -= 1
            if self._retired and not self._users:
                await self.aclose()

    async def json(self, request: Request) -> tuple[Any, Reply]:
        """The whole answer as JSON, and what it came with. Raises as `open`, and VENDOR_PROTOCOL."""
        async with self.open(replace(request, shared=request.shared or request.method == "GET")) as reply:
            return await reply.json(), reply

    # -- sending ------------------------------------------------------------------------------------------------------

    async def _send(self, request: Request) -> httpx2.Response:
        await self._pass_gate(request)
        self._budget.earn()
        decide: Any = backoff(self._budget, request.remaining, LONGEST_WAIT)
        try:
            async for attempt in stamina.retry_context(
                on=decide, attempts=self._attempts, timeout=None, wait_initial=0.25, wait_max=8.0, wait_jitter=0.25
            ):
                with attempt:
                    try:
                        return await self._try(request)
                    except RefusedError as error:
                        # What is not tried again costs no retry.
                        error.again = error.again and attempt.num < self._attempts
                        raise
        except RefusedError as error:
            raise error.error from error.__cause__
        raise AssertionError("unreachable: the last attempt raises")

    async def _pass_gate(self, request: Request) -> None:
        """Waits while the vendor wants no requests, but not past the caller's deadline."""
        wait = self.gate.wait
        if wait > min(LONGEST_WAIT, LONGEST_WAIT if request.remaining is None else request.remaining):
            failure = replace(self.vendor.read_failure("too many requests"), status=429, retry_after=wait)
            raise error_of(failure, vendor=self.vendor.name, reasons=self.vendor.reasons, fields=request.fields)
        if wait:
            await self.gate.passed()

    async def _try(self, request: Request) -> httpx2.Response:
        built = self._build(request)
        try:
            client = self._shared if request.shared else self._client
            response = await client.send(built, stream=True)
        except httpx2.ConnectTimeout as error:
            raise RefusedError(self._timeout("to connect to"), again=True) from error
        except httpx2.ConnectError as error:
            raise RefusedError(self._unreachable(), again=True) from error
        except httpx2.TimeoutException as error:
            # The vendor may be at work: another try could be charged twice.
            raise RefusedError(self._timeout("for the first word of"), again=False) from error
        except httpx2.TransportError as error:
            raise RefusedError(self._unreachable(), again=False) from error
        if response.is_success:
            self.gate.note(response.headers)
            built.extensions["timeout"]["read"] = None  # from here on `Reply` watches the time
            return response
        if request.redirects and response.has_redirect_location:
            await response.aclose()
            target = str(response.url.join(response.headers["location"]))
            return await self._try(replace(request, path=target, params=None, redirects=request.redirects - 1))
        raise await self._refused(response, request)

    def _build(self, request: Request) -> httpx2.Request:
        url = request.path if "://" in request.path else self.base_url + request.path
        key = self.key
        headers = {
            **self.vendor.headers,
            # A key is for the vendor alone, and not for where its answers point to: "https://acme.example.evil.example".
            **(self.vendor.authorise(key) if key and url.startswith(f"{self.base_url}/") else {}),
            **(request.headers or {}),
        }
        return self._client.build_request(
            request.method,
            url,
            json=request.json,
            data=request.data,
            files=request.files,
            content=request.content,
            params=request.params,
            headers=headers,
        )

    # -- failures -----------------------------------------------------------------------------------------------------

    async def _refused(self, response: httpx2.Response, request: Request) -> RefusedError:
        """What an answer that is no success means."""
        status = response.status_code
        try:
            async with asyncio.timeout(self.timeouts.connect):
                await response.aread()
            body = decoded(response.content)
        except (httpx2.HTTPError, TimeoutError):
            body = ""
        finally:
            await response.aclose()
        wait = retry_after(response.headers, time.time())
        if wait is None:
            wait = self.vendor.read_failure(body).retry_after
        if status in (429, 529) and wait:
            self.gate.close_for(wait)
        again = status in SAFE_STATUSES or (status == 409 and self.vendor.retries_conflicts)
        error = self._failed(request)(body, status, request_id_of(response.headers, self.vendor), wait)
        # A key that has no money left will have none a second later.
        return RefusedError(error, again=again and error.reason is not Reason.QUOTA_EXCEEDED, after=wait)

    def _failed(self, request: Request) -> Callable[..., MediaConduitError]:
        """Reads an error, of an answer or within a stream."""

        def read(body: Any, status: int = 0, request_id: str = "", wait: float | None = None) -> MediaConduitError:
            stated = self.vendor.read_failure(body)
            failure = replace(
                stated,
                status=stated.status or status,
                request_id=stated.request_id or request_id,
                retry_after=wait if stated.retry_after is None else stated.retry_after,
            )
            return error_of(failure, vendor=self.vendor.name, reasons=self.vendor.reasons, fields=request.fields)

        return read

    def _unreachable(self) -> MediaConduitError:
        return UnavailableError(
            f"{self.vendor.name} cannot be reached",
            reason=Reason.VENDOR_UNAVAILABLE,
            hint="check the network and settings.base_url, or name another vendor's model as well",
            retry_after=5.0,
        )

    def _timeout(self, what: str) -> MediaConduitError:
        return CallTimeoutError(
            f"waited too long {what} {self.vendor.name}",
            reason=Reason.VENDOR_TIMEOUT,
            hint="try again, or allow more time in settings.timeouts",
        )


def request_id_of(headers: Mapping[str, str], vendor: Vendor) -> str:
    """The vendor's id of a request, from its answer; empty when there is none."""
    return next((headers[name] for name in vendor.request_id_headers if name in headers), "")


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Whom to trust; once in a process, since reading the certificates takes 30 ms."""
    return httpx2.create_ssl_context()
