"""Which models are listed, in which order, and how the list looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from mediaconduit.v1 import models_pb2

from mediaconduit_broker.cli import model_prices, output
from mediaconduit_broker.cli.output import Cell

_SOON: Final = timedelta(days=90)
"""A model that goes within this time is marked."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is to hold."""

    free: bool = False
    """Only what is known to cost nothing."""
    features: Sequence[str] = ()
    """Only models that have all of them."""
    search: str = ""
    """Only models with all of these words in name, title or description."""
    newest: bool = False
    """In order of release, the latest first."""
    fastest: bool = False
    """In order of the time to the first output."""

    def chosen(self, models: Sequence[models_pb2.Model]) -> list[models_pb2.Model]:
        """Those wanted, in order; what cannot be put in order comes last."""
        found = [model for model in models if self._fits(model)]
        if self.newest:
            found.sort(key=lambda model: -model.release_time.ToSeconds() if model.HasField("release_time") else 1)
        if self.fastest:
            found.sort(key=lambda model: _first_output(model) or float("inf"))
        return found

    def unordered(self, chosen: Sequence[models_pb2.Model]) -> str:
        """What is to be said about those that could not be put in order; empty when there are none."""
        if not chosen or not (self.newest or self.fastest):
            return ""
        field: Literal["release_time", "first_output_duration"]
        field = "release_time" if self.newest else "first_output_duration"
        count = sum(not model.HasField(field) for model in chosen)
        if not count:
            return ""
        why = (
            "nobody says when {} came out"
            if self.newest
            else "how soon {} answer is not known: this broker has carried no call to them since it started"
        )
        if count == len(chosen):
            return f"not in order: {why.format('these models')}"
        return f"the last {count} are in no order: {why.format('they')}"

    def _fits(self, model: models_pb2.Model) -> bool:
        text = f"{model.name} {model.display_name} {model.description}".lower()
        return (
            (not self.free or model_prices.is_free(model))
            and set(self.features) <= set(model.features)
            and all(word in text for word in self.search.lower().split())
        )


def show(models: Sequence[models_pb2.Model], wanted: Wanted, *, as_json: bool) -> None:
    """A table of the models that are wanted, as a call names them."""
    chosen = wanted.chosen(models)
    if as_json:
        output.print_json([output.plain(model) for model in chosen])
        return
    if not models:
        output.note("no models; `mediaconduit provider ls` shows which providers there are")
        return
    if not chosen:
        output.note(f"none of the {len(models)} models is like that")
        return
    now = datetime.now(UTC)
    extra = "released" if wanted.newest else "first output" if wanted.fastest else ""
    columns = ["model", "does", *([f">{extra}"] if extra else []), ">context", "price", "features"]
    output.table(columns, [_row(model, extra, now) for model in chosen])
    if note := wanted.unordered(chosen):
        output.note(note, style="yellow")


def does(capabilities: Sequence[str]) -> str:
    """Capabilities in short: "text, image → text" for "text-to-text" and "image-to-text"."""
    makes: dict[tuple[str, ...], list[str]] = {}
    takes: dict[str, list[str]] = {}
    for capability in capabilities:
        source, _, target = capability.partition("-to-")
        takes.setdefault(target, []).append(source)
    for target, sources in takes.items():
        makes.setdefault(tuple(sources), []).append(target)
    return "; ".join(f"{', '.join(sources)} → {', '.join(targets)}" for sources, targets in makes.items())


def tokens(count: int) -> str:
    """A number of tokens as people say it: "128k" for 128000 and for 131072, "1M"; empty for 0."""
    thousand = 1024 if count % 1000 and not count % 1024 else 1000
    if count >= thousand**2:
        return f"{count / thousand**2:.3g}M"
    return f"{count / thousand:.3g}k" if count >= thousand else str(count or "")


def _row(model: models_pb2.Model, extra: str, now: datetime) -> list[Cell]:
    price = model_prices.brief(model)
    cells: list[Cell] = [(short(model.name), "bold"), does(model.capabilities)]
    if extra == "released":
        cells.append(f"{model.release_time.ToDatetime():%Y-%m-%d}" if model.HasField("release_time") else "")
    if extra == "first output":
        seconds = _first_output(model)
        cells.append(f"{seconds * 1000:.0f} ms" if seconds is not None else "")
    cells += [
        tokens(model.context_tokens),
        (price, {"free": "green", "?": "dim"}.get(price, "")),
        (" ".join(_marks(model, now)), "dim"),
    ]
    return cells


def _marks(model: models_pb2.Model, now: datetime) -> list[str]:
    """Features, after when it goes if that is soon."""
    marks = list(model.features)
    if model.HasField("retire_time") and (day := model.retire_time.ToDatetime(UTC)) - now < _SOON:
        marks.insert(0, f"{'retired' if day <= now else 'retires'} {day:%Y-%m-%d}")
    return marks


def _first_output(model: models_pb2.Model) -> float | None:
    """Seconds; None when not known."""
    return model.first_output_duration.ToNanoseconds() / 1e9 if model.HasField("first_output_duration") else None


def short(name: str, collection: str = "models") -> str:
    """ "cowsay/default" for "providers/cowsay/models/default"."""
    provider, _, rest = name.removeprefix("providers/").partition(f"/{collection}/")
    return f"{provider}/{rest}" if rest else name.removeprefix("providers/")
