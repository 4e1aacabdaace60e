"""Every event in every state: the table below is the specification."""

import itertools

import pytest
from mediaconduit.v1 import broker_pb2
from mediaconduit_broker.supervision.lifecycle import (
    HOPELESS_CODES,
    MAX_CRASHES,
    MAX_DELAY,
    STEADY_SECONDS,
    Answered,
    BackoffElapsed,
    Exited,
    Fail,
    Gone,
    Idle,
    Install,
    Installed,
    InstallFailed,
    Kill,
    Lifecycle,
    Refused,
    Release,
    Serving,
    Spawn,
    State,
    Stop,
    TimedOut,
    Unhealthy,
    Unwanted,
    Wait,
    Wanted,
    transition,
)

EXITED = Exited("killed", None, 1.0)
EVENTS = {
    "wanted": Wanted(),
    "loaded": Wanted(explicit=True),
    "installed": Installed(),
    "install-failed": InstallFailed("no wheel"),
    "answered": Answered(),
    "serving": Serving(),
    "refused": Refused("bad settings"),
    "timed-out": TimedOut("60 s"),
    "exited": EXITED,
    "unhealthy": Unhealthy("does not answer"),
    "idle": Idle(),
    "elapsed": BackoffElapsed(),
    "unwanted": Unwanted(),
    "gone": Gone(),
}

# What changes. Every pair that is not named here changes nothing and asks for nothing.
TABLE = {
    (State.STOPPED, "wanted"): (State.INSTALLING, Install()),
    (State.STOPPED, "loaded"): (State.INSTALLING, Install()),
    (State.STOPPED, "unwanted"): (State.STOPPED,),
    (State.INSTALLING, "installed"): (State.STARTING, Spawn()),
    (State.INSTALLING, "install-failed"): (State.FAILED, Fail()),
    (State.STARTING, "answered"): (State.LOADING,),
    (State.LOADING, "serving"): (State.READY, Release()),
    (State.READY, "wanted"): (State.READY, Release()),
    (State.READY, "loaded"): (State.READY, Release()),
    (State.READY, "exited"): (State.BACKOFF, Wait(0.0)),
    (State.READY, "unhealthy"): (State.READY, Kill()),
    (State.READY, "idle"): (State.DRAINING, Stop()),
    (State.BACKOFF, "elapsed"): (State.STARTING, Spawn()),
    (State.FAILED, "wanted"): (State.FAILED, Fail()),
    (State.FAILED, "loaded"): (State.INSTALLING, Install()),
    (State.FAILED, "unwanted"): (State.STOPPED,),
    (State.DRAINING, "gone"): (State.STOPPED,),
    (State.DRAINING, "exited"): (State.STOPPED,),
    (State.DRAINING, "unwanted"): (State.DRAINING, Fail()),
    **{(state, "exited"): (State.BACKOFF, Fail(), Wait(0.5)) for state in (State.STARTING, State.LOADING)},
    **{
        (state, event): (State.FAILED, Stop(), Fail())
        for state in (State.STARTING, State.LOADING, State.READY)
        for event in ("refused", "timed-out")
    },
    **{
        (state, "unwanted"): (State.DRAINING, Stop(), Fail())
        for state in (State.INSTALLING, State.STARTING, State.LOADING, State.READY, State.BACKOFF)
    },
}


@pytest.mark.parametrize(("state", "name"), list(itertools.product(State, EVENTS)))
def test_every_event_in_every_state(state: State, name: str) -> None:
    after, *actions = TABLE.get((state, name), (state,))

    now, asked = transition(Lifecycle(state), EVENTS[name])

    assert (now.state, list(asked)) == (after, actions)


def test_states_are_those_of_the_contract() -> None:
    for state in State:
        assert broker_pb2.ProviderState.Name(state.value) == f"PROVIDER_STATE_{state.name}"


@pytest.mark.parametrize("code", sorted(HOPELESS_CODES))
def test_code_that_does_not_load_is_not_started_again(code: int) -> None:
    now, asked = transition(Lifecycle(State.STARTING), Exited("does not load", code, 0.0))

    assert (now.state, now.reason, asked) == (State.FAILED, "does not load", (Fail(),))


def test_a_crash_loop_waits_longer_each_time_and_ends_in_failed() -> None:
    now, waits = Lifecycle(State.READY, installed=True), []
    while now.state is not State.FAILED:
        now, asked = transition(now, EXITED)
        waits += [action.seconds for action in asked if isinstance(action, Wait)]
        now, _ = transition(now, BackoffElapsed())
        assert len(waits) <= MAX_CRASHES

    assert waits == sorted(waits)
    assert max(waits) <= MAX_DELAY
    assert now.crashes == MAX_CRASHES


def test_steady_service_forgives_earlier_crashes() -> None:
    now, asked = transition(Lifecycle(State.READY, crashes=MAX_CRASHES - 1), Exited("killed", None, STEADY_SECONDS))

    assert (now.state, now.crashes, asked) == (State.BACKOFF, 1, (Wait(0.0),))


def test_a_stopped_provider_that_was_installed_starts_without_installing() -> None:
    now, asked = transition(Lifecycle(State.STOPPED, installed=True), Wanted())

    assert (now.state, asked) == (State.STARTING, (Spawn(),))


@pytest.mark.parametrize("end", [Gone(), EXITED])
def test_a_provider_wanted_while_it_drains_starts_again_when_it_has_gone(end: Gone | Exited) -> None:
    draining, _ = transition(Lifecycle(State.READY, installed=True), Idle())
    wanted, asked = transition(draining, Wanted())
    assert asked == ()
    now, asked = transition(wanted, end)
    assert (now.state, now.wanted_again, asked) == (State.STARTING, False, (Spawn(),))


def test_one_that_shall_stop_does_not_start_again_whoever_wanted_it() -> None:
    draining, _ = transition(Lifecycle(State.READY, installed=True), Idle())
    wanted, _ = transition(draining, Wanted())
    unwanted, asked = transition(wanted, Unwanted())
    now, then = transition(unwanted, Gone())
    assert (asked, now.state, then) == ((Fail(),), State.STOPPED, ())
