"""The closed list of reasons: the binding knows each of them, and the code it travels with."""

from __future__ import annotations

import re

import pytest
from google.rpc import code_pb2
from mediaconduit.errors import CODES, Reason
from mediaconduit.v1.errors_pb2 import ErrorReason

from tests.support.contract import build, elements

PREFIX = "ERROR_REASON_"


@pytest.fixture(scope="module")
def comments(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What errors.proto says of each reason."""
    files = build(tmp_path_factory.mktemp("contract"))
    found = [element for file in files for element in elements(file) if element.name.startswith("ErrorReason.")]
    return {element.name.partition(f".{PREFIX}")[2]: element.comment for element in found}


def test_the_binding_has_every_reason_and_no_other() -> None:
    assert {reason.value for reason in Reason} == {
        value.name.removeprefix(PREFIX) for value in ErrorReason.DESCRIPTOR.values
    }


def test_every_reason_has_a_code_that_grpc_knows() -> None:
    assert set(CODES) == set(Reason)
    assert set(CODES.values()) <= set(code_pb2.Code.keys()) - {"OK"}


def test_the_contract_names_the_code_the_binding_sends(comments: dict[str, str]) -> None:
    assert comments.pop("UNSPECIFIED").startswith("Never sent.")
    named = {reason: re.split(r"[ :.]", comment)[0] for reason, comment in comments.items()}
    assert named == {reason.value: CODES[reason] for reason in Reason if reason is not Reason.UNSPECIFIED}
