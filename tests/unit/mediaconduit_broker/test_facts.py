import pytest
from mediaconduit.v1.events_pb2 import Completed, TransformEvent, TransformResponse
from mediaconduit_broker.relay.facts import CallFacts

COMPLETED = TransformEvent(sequence=2, completed=Completed())
NOTHING = TransformEvent(sequence=1)


def frame(*events: TransformEvent) -> bytes:
    return TransformResponse(events=events).SerializeToString()


@pytest.mark.parametrize(
    ("frames", "completed"),
    [
        ([], False),
        ([frame(NOTHING)], False),
        ([frame(NOTHING), frame(COMPLETED)], True),
        ([frame(NOTHING, COMPLETED)], True),
        ([frame(COMPLETED), frame(NOTHING)], False),
        ([b"\xff\xff\xff"], False),
    ],
)
def test_only_a_last_event_that_says_so_completes_a_call(frames: list[bytes], completed: bool) -> None:
    facts = CallFacts()
    for one in frames:
        facts.see(one)
    assert (facts.frames, facts.completed() is not None) == (len(frames), completed)
