from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from mediaconduit.v1 import models_pb2
from mediaconduit_broker.cli.model_list import Wanted, does, short, show, tokens


def model(name: str, **fields: Any) -> models_pb2.Model:
    made = models_pb2.Model(name=f"providers/p/models/{name}", display_name=name.title())
    if released := fields.pop("released", ""):
        made.release_time.FromJsonString(f"{released}T00:00:00Z")
    if retires := fields.pop("retires", ""):
        made.retire_time.FromJsonString(f"{retires}T00:00:00Z")
    if milliseconds := fields.pop("milliseconds", 0):
        made.first_output_duration.FromMilliseconds(milliseconds)
    if "price" in fields:
        made.pricing.rates.add(unit="input-token", nano_price=fields.pop("price"), per=1)
    made.MergeFrom(models_pb2.Model(**fields))
    return made


OLD = model("old", released="2024-01-01", milliseconds=900, price=0, features=["tools"])
NEW = model("new", released="2026-01-01", price=5, features=["tools", "vision"], description="Sees pictures.")
QUICK = model("quick", milliseconds=80, features=["vision"])


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), [OLD, NEW, QUICK]),
        (Wanted(free=True), [OLD]),
        (Wanted(features=["tools"]), [OLD, NEW]),
        (Wanted(features=["tools", "vision"]), [NEW]),
        (Wanted(search="PICTURES new"), [NEW]),
        (Wanted(search="providers/p"), [OLD, NEW, QUICK]),
        (Wanted(newest=True), [NEW, OLD, QUICK]),
        (Wanted(fastest=True), [QUICK, OLD, NEW]),
        (Wanted(fastest=True, features=["nonesuch"]), []),
    ],
)
def test_the_models_that_are_wanted_in_order(wanted: Wanted, found: list[models_pb2.Model]) -> None:
    assert wanted.chosen([OLD, NEW, QUICK]) == found


@pytest.mark.parametrize(
    ("wanted", "models", "said"),
    [
        (Wanted(), [QUICK], ""),
        (Wanted(newest=True), [NEW, OLD], ""),
        (Wanted(newest=True), [NEW, QUICK], "the last 1 are in no order: nobody says when they came out"),
        (Wanted(newest=True), [QUICK], "not in order: nobody says when these models came out"),
        (
            Wanted(fastest=True),
            [NEW],
            "not in order: how soon these models answer is not known: this broker has carried no call to them since it"
            " started",
        ),
        (Wanted(fastest=True), [], ""),
    ],
)
def test_an_order_that_is_not_known_is_said_to_be_none(
    wanted: Wanted, models: Sequence[models_pb2.Model], said: str
) -> None:
    assert wanted.unordered(models) == said


@pytest.mark.parametrize(
    ("capabilities", "said"),
    [
        ([], ""),
        (["text-to-text"], "text → text"),
        (["text-to-text", "image-to-text"], "text, image → text"),
        (["text-to-image", "image-to-image", "text-to-scores"], "text, image → image; text → scores"),
        (["audio-to-audio", "video-to-audio", "audio-to-video", "video-to-video"], "audio, video → audio, video"),
    ],
)
def test_what_it_does_in_short(capabilities: list[str], said: str) -> None:
    assert does(capabilities) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, ""),
        (512, "512"),
        (8000, "8k"),
        (8192, "8k"),
        (16_385, "16.4k"),
        (128_000, "128k"),
        (131_072, "128k"),
        (1_048_576, "1M"),
        (1_050_000, "1.05M"),
    ],
)
def test_tokens_as_people_say_them(count: int, said: str) -> None:
    assert tokens(count) == said


def test_names_as_a_call_takes_them() -> None:
    assert short("providers/p/models/org/m:1") == "p/org/m:1"
    assert short("providers/p/voices/v", "voices") == "p/v"
    assert short("providers/p") == "p"


def test_a_model_that_goes_soon_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    gone = model("gone", retires="2020-01-01", features=["tools"])
    far = model("far", retires="2999-01-01", features=["tools"])
    show([gone, far], Wanted(), as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split("  ")[-1] == "retired 2020-01-01 tools"
    assert lines[2].split("  ")[-1] == "tools"


def test_a_choice_that_leaves_nothing_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    show([OLD], Wanted(search="nonesuch"), as_json=False)
    assert capsys.readouterr().err == "none of the 1 models is like that\n"
    show([OLD], Wanted(search="nonesuch"), as_json=True)
    assert capsys.readouterr().out == "[]\n"
