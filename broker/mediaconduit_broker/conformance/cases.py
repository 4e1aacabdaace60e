"""Wrong requests and how they are to end. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from mediaconduit.v1.transform_pb2 import TransformRequest

from mediaconduit_broker.conformance.check import SkippedError, require
from mediaconduit_broker.conformance.statuses import Failure


@dataclass(frozen=True, slots=True)
class Case:
    """A wrong request and how it is to end."""

    what: str
    code: str = ""
    """Empty = any of the contract's."""
    reasons: tuple[str, ...] = ()
    may_succeed: bool = False
    begins: bool = False
    """The call begins before what is wrong comes, so that it may ask for a key first."""

    def judge(self, failure: Failure | None) -> None:
        """Fails the check unless the request ended as it is to. `failure`: None when it succeeded."""
        if failure is None:
            require(self.may_succeed, f"{self.what} was taken")
            return
        if self.begins and failure.needs:
            raise SkippedError(f"needs {failure.needs}")
        if self.code:
            right = failure.code == self.code and failure.reasons and failure.reasons[0] in self.reasons
            require(right, f"{self.what} ends with {failure}, not with {self.code}/{' or '.join(self.reasons)}")
        faults = failure.faults()
        require(not faults, f"{self.what} ends with {failure}: {'; '.join(faults)}")


INVALID: Final = ("INVALID_ARGUMENT", ("INPUT_INVALID",))
NOT_FOUND: Final = ("NOT_FOUND", ("MODEL_NOT_FOUND",))
TOO_LARGE: Final = ("INVALID_ARGUMENT", ("INPUT_TOO_LARGE",))


def changed(request: TransformRequest, **changes: Any) -> TransformRequest:
    """The same request with other values in some fields."""
    made = TransformRequest()
    made.CopyFrom(request)
    for name in changes:
        made.ClearField(name)  # type: ignore[arg-type]
    made.MergeFrom(TransformRequest(**changes))
    return made
