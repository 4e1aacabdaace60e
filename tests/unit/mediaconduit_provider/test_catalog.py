from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from mediaconduit.errors import InvalidRequestError, MediaConduitError, Reason
from mediaconduit.v1.media_pb2 import Part, Turn
from mediaconduit_provider import Model, Provider
from mediaconduit_provider.catalog import Catalog, ModelError
from mediaconduit_provider.checks import infer_capability


class Listing(Provider):
    """Counts how often it is asked, and may be given other models."""

    def __init__(self, *ids: str) -> None:
        self.current = [Model(model_id, ["text-to-text", "image-to-text"]) for model_id in ids]
        self.asked: list[bool] = []

    async def list_models(self, *, refresh: bool = False) -> Sequence[Model]:
        self.asked.append(refresh)
        return self.current


async def test_when_a_model_came_and_goes_is_told_in_utc() -> None:
    class Dated(Provider):
        models = (
            Model("old", ["text-to-text"], released=datetime(2024, 5, 13), retires=datetime(2026, 12, 1, tzinfo=UTC)),
            Model("new", ["text-to-text"], released=datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))),
        )

    old, new = [entry.to_proto() for entry in await Catalog(Dated(), "dated").list()]
    assert old.release_time.ToJsonString() == "2024-05-13T00:00:00Z"
    assert old.retire_time.ToJsonString() == "2026-12-01T00:00:00Z"
    assert new.release_time.ToJsonString() == "2025-12-31T23:00:00Z"
    assert not new.HasField("retire_time")


@pytest.mark.parametrize("name", ["providers/p/models/org/m:1", "p/org/m:1", "org/m:1"])
async def test_a_model_is_found_by_its_names(name: str) -> None:
    catalog = Catalog(Listing("org/m:1"), "p")
    assert (await catalog.find(name)).name == "providers/p/models/org/m:1"


@pytest.mark.parametrize("name", ["providers/q/models/m", "q/m", "providers/p/models/", "providers/p"])
async def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(MediaConduitError) as raised:
        await Catalog(Listing("m"), "p").find(name)
    assert raised.value.reason is Reason.MODEL_NOT_FOUND


async def test_a_name_nobody_gave_is_invalid() -> None:
    with pytest.raises(InvalidRequestError):
        await Catalog(Listing("m"), "p").find("")


async def test_the_provider_is_not_asked_again_for_what_is_known() -> None:
    provider = Listing("m")
    catalog = Catalog(provider, "p")
    for _ in range(3):
        await catalog.find("m")
    assert provider.asked == [False]


async def test_an_unknown_name_asks_again_for_new_models_come() -> None:
    provider = Listing("m")
    catalog = Catalog(provider, "p")
    await catalog.find("m")
    provider.current = [*provider.current, Model("new", ["text-to-text"])]
    assert (await catalog.find("new")).model.id == "new"


async def test_nothing_named_but_a_capability_finds_the_only_model_that_has_it() -> None:
    provider = Listing("a", "b")
    provider.current.append(Model("c", ["text-to-audio"]))
    catalog = Catalog(provider, "p")
    entry, capability = await catalog.choose("", "text-to-audio")
    assert (entry.model.id, capability) == ("c", "text-to-audio")
    with pytest.raises(InvalidRequestError):
        await catalog.choose("", "text-to-text")


async def test_capabilities_are_those_of_all_models_also_before_it_was_asked() -> None:
    class Static(Provider):
        models = (Model("a", ["text-to-text"]), Model("b", ["audio-to-text", "text-to-text"]))

    assert Catalog(Static(), "p").capabilities == ["audio-to-text", "text-to-text"]


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ([Model("a", ["text-to-speech"])], "not a capability"),
        ([Model("a", ["text-to-text"]), Model("a", ["text-to-text"])], "twice"),
        ([Model("", ["text-to-text"])], "empty"),
        ([Model("a", ["text-to-text"], features=["live"])], "live"),
        ([Model("a", ["text-to-text"], options={"text.temprature": {}})], "temprature"),
    ],
)
async def test_models_that_cannot_be_are_the_authors_mistake(models: list[Model], said: str) -> None:
    provider = Listing()
    provider.current = models
    with pytest.raises(ModelError, match=said):
        await Catalog(provider, "p").list()


def test_the_capability_follows_from_the_last_users_input() -> None:
    model = Model("m", ["text-to-audio", "image-to-audio", "3d-to-audio"])
    text, image = Turn(parts=[Part(text="x")]), Turn(parts=[Part(media_type="image/png", data=b"x")])
    assert infer_capability(model, [text, image]) == "image-to-audio"
    assert infer_capability(model, [image, text]) == "text-to-audio"
    assert infer_capability(model, [Turn(parts=[*text.parts, *image.parts])]) == "image-to-audio"
    assert infer_capability(model, [Turn(parts=[Part(media_type="model/gltf-binary", data=b"x")])]) == "3d-to-audio"
    assert infer_capability(model, []) == "text-to-audio"


async def test_a_model_that_is_not_listed_is_found_once_and_not_listed_then() -> None:
    class More(Listing):
        async def find_model(self, model_id: str) -> Model | None:
            self.sought = [*getattr(self, "sought", []), model_id]
            return Model(model_id, ["text-to-text"]) if model_id.startswith("extra-") else None

    provider = More("listed")
    catalog = Catalog(provider, "p")
    assert (await catalog.find("providers/p/models/extra-1")).model.id == "extra-1"
    assert await catalog.find("extra-1") is await catalog.find("p/extra-1")
    assert provider.sought == ["extra-1"]
    assert provider.asked == []
    assert [entry.model.id for entry in await catalog.list()] == ["listed"]
    with pytest.raises(MediaConduitError) as failed:
        await catalog.find("nowhere")
    assert failed.value.reason is Reason.MODEL_NOT_FOUND


async def test_models_that_callers_make_up_do_not_pile_up() -> None:
    class Any(Listing):
        async def find_model(self, model_id: str) -> Model | None:
            return Model(model_id, ["text-to-text"])

    catalog = Catalog(Any(), "p")
    for number in range(2500):
        await catalog.find(f"m-{number}")
    assert len(catalog._unlisted) <= 1000
