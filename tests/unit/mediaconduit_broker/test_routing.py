import pytest
from mediaconduit.errors import InvalidRequestError, NotFoundError, PreconditionError, Reason
from mediaconduit_broker.routing import ModelView, ProviderView, Route, Snapshot, resolve

TEXT, AUDIO = frozenset({"text-to-text"}), frozenset({"text-to-audio"})
SNAPSHOT = Snapshot(
    {
        "broken": ProviderView("broken", (ModelView("b", AUDIO),), available=False),
        "cowsay": ProviderView("cowsay", (ModelView("default", TEXT), ModelView("tux", TEXT))),
        "router": ProviderView("router", (ModelView("meta/llama:free", TEXT), ModelView("tux", TEXT))),
        "speech": ProviderView("speech", (ModelView("default", AUDIO),)),
    },
    aliases={"penguin": "cowsay/tux", "stale": "gone/model"},
)


@pytest.mark.parametrize(
    ("model", "capability", "route"),
    [
        ("providers/cowsay/models/default", "", Route("cowsay", "default")),
        ("cowsay/default", "", Route("cowsay", "default")),
        ("cowsay/not-listed", "", Route("cowsay", "not-listed")),
        ("router/meta/llama:free", "", Route("router", "meta/llama:free")),
        ("providers/router/models/meta/llama:free", "", Route("router", "meta/llama:free")),
        ("meta/llama:free", "", Route("router", "meta/llama:free")),
        ("penguin", "", Route("cowsay", "tux")),
        ("", "text-to-audio", Route("speech", "default")),
    ],
)
def test_names_are_resolved_in_the_contracts_order(model: str, capability: str, route: Route) -> None:
    assert resolve(SNAPSHOT, model, capability) == route


def test_unknown_model_names_the_nearest() -> None:
    with pytest.raises(NotFoundError) as caught:
        resolve(SNAPSHOT, "tuxx")
    assert caught.value.reason is Reason.MODEL_NOT_FOUND
    assert "tux" in caught.value.metadata["suggestions"].split(",")
    assert "tux" in caught.value.hint


def test_unknown_provider_names_the_nearest() -> None:
    with pytest.raises(NotFoundError) as caught:
        resolve(SNAPSHOT, "providers/cowsya/models/default")
    assert caught.value.reason is Reason.PROVIDER_NOT_FOUND
    assert caught.value.metadata == {"provider": "cowsya", "suggestions": "cowsay"}


def test_a_model_of_two_providers_must_be_named_in_full() -> None:
    with pytest.raises(InvalidRequestError, match="ambiguous") as caught:
        resolve(SNAPSHOT, "tux")
    assert caught.value.hint == "name one of cowsay/tux, router/tux"


@pytest.mark.parametrize("model", ["providers/cowsay", "providers/cowsay/models/", "providers/cowsay/voices/x"])
def test_a_name_of_something_else_is_refused(model: str) -> None:
    with pytest.raises(InvalidRequestError):
        resolve(SNAPSHOT, model)


def test_neither_model_nor_capability_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="no model"):
        resolve(SNAPSHOT, "")


def test_capability_nobody_has_lists_those_there_are() -> None:
    with pytest.raises(PreconditionError) as caught:
        resolve(SNAPSHOT, "", "text-to-3d")
    assert caught.value.reason is Reason.CAPABILITY_UNSUPPORTED
    assert caught.value.metadata["available"] == "text-to-audio,text-to-text"


def test_alias_of_a_provider_that_went_away_says_which() -> None:
    with pytest.raises(NotFoundError) as caught:
        resolve(SNAPSHOT, "stale")
    assert caught.value.metadata["provider"] == "gone"
