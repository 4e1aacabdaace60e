"""What callers and the log are told of a failed sidecar, which may be of any host."""

from typing import Any, cast

import grpc
import pytest
from mediaconduit.errors import PreconditionError, Reason
from mediaconduit.status import to_status
from mediaconduit_broker.relay.failures import explain
from mediaconduit_broker.secrets import Redactor, Secret

VALUE = "sk-of-a-provider"


def failure(code: grpc.StatusCode, details: str, *trailers: tuple[str, bytes]) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(*trailers), details)


@pytest.fixture
def redactor() -> Redactor:
    made = Redactor()
    made.add([Secret(VALUE)])
    return made


async def test_a_sidecars_own_words_reach_callers_without_the_key(redactor: Redactor) -> None:
    said = PreconditionError(f"bad key {VALUE}", reason=Reason.CREDENTIALS_REJECTED, metadata={"key": VALUE})
    error = failure(
        grpc.StatusCode.FAILED_PRECONDITION, "", ("grpc-status-details-bin", to_status(said).SerializeToString())
    )
    known = await explain(error, cast(Any, None), "keys", redactor)
    assert (known.reason, known.message, known.metadata) == (said.reason, "bad key ***", {"key": "***"})


async def test_what_breaks_the_contract_is_logged_without_the_key(
    redactor: Redactor, capsys: pytest.CaptureFixture[str]
) -> None:
    known = await explain(failure(grpc.StatusCode.UNKNOWN, f"panic: {VALUE}"), cast(Any, None), "keys", redactor)
    assert VALUE not in str(known)
    logged = "".join(capsys.readouterr())
    assert "panic: ***" in logged and VALUE not in logged
