from __future__ import annotations

import pytest
from mediaconduit.v1 import models_pb2
from mediaconduit_broker.model_watch.differences import Difference, Kind, ModelSet, compared, model_set


def models(**capabilities: str) -> ModelSet:
    return {f"providers/p/models/{name}": frozenset(does.split()) for name, does in capabilities.items()}


def name(model: str) -> str:
    return f"providers/p/models/{model}"


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        (models(a="x"), models(a="x"), []),
        (models(), models(), []),
        (
            models(a="x"),
            models(a="x", b="x"),
            [Difference(name("b"), Kind.APPEARED, ("x",))],
        ),
        (
            models(a="x", b="x"),
            models(a="x"),
            [Difference(name("b"), Kind.VANISHED, (), ("x",))],
        ),
        (
            models(a="x", b="x y"),
            models(a="x y", b="x"),
            [Difference(name("a"), Kind.CHANGED, ("y",)), Difference(name("b"), Kind.CHANGED, (), ("y",))],
        ),
        (
            models(a="x"),
            models(b="z y"),
            [
                Difference("providers/p", Kind.CHANGED, ("y", "z"), ("x",)),
                Difference(name("a"), Kind.VANISHED, (), ("x",)),
                Difference(name("b"), Kind.APPEARED, ("y", "z")),
            ],
        ),
        (models(a=""), models(), [Difference(name("a"), Kind.VANISHED)]),
    ],
)
def test_what_is_new_between_two_lists(before: ModelSet, now: ModelSet, found: list[Difference]) -> None:
    assert compared("p", before, now) == found


def test_names_and_capabilities_are_compared_and_nothing_else() -> None:
    one = models_pb2.Model(name="providers/p/models/a", capabilities=["x", "y"], description="old")
    other = models_pb2.Model(name="providers/p/models/a", capabilities=["y", "x"], description="new")
    assert model_set([one]) == model_set([other])
