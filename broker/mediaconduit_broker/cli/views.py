"""How providers, models, voices and log lines look."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final

from mediaconduit.v1 import broker_pb2, voices_pb2

from mediaconduit_broker.cli import output
from mediaconduit_broker.cli.keys import KeyCheck
from mediaconduit_broker.cli.model_list import short
from mediaconduit_broker.cli.output import Cell

_STATE_STYLES: Final = {"ready": "green", "failed": "bold red", "backoff": "yellow", "stopped": "dim"}
_KEY_STYLES: Final = {True: "green", False: "bold red", None: "yellow"}
_LEVEL_STYLES: Final = {"error": "bold red", "warning": "yellow", "info": "", "debug": "dim"}


def show_providers(providers: Sequence[broker_pb2.Provider], *, as_json: bool) -> None:
    """A table of providers; why those that do not run do not is below it."""
    if as_json:
        output.print_json([output.plain(provider) for provider in providers])
        return
    if not providers:
        output.note("no providers; add one with `mediaconduit provider add cowsay`")
        return
    columns = ("name", "state", "health", ">calls", ">memory", ">starts", ">models", "source")
    output.table(columns, [_provider_row(provider) for provider in providers])
    for provider in providers:
        if provider.state_reason:
            output.note(f"{_id(provider)}: {provider.state_reason}", style=_STATE_STYLES.get(_state(provider), ""))


def _provider_row(provider: broker_pb2.Provider) -> list[Cell]:
    state = _state(provider)
    since = output.ago(provider.state_time.ToSeconds())
    calls = f"{provider.active_calls}/{provider.call_count}"
    if provider.queued_calls:
        calls += f", {provider.queued_calls} waiting"
    stuck = provider.stuck_calls
    return [
        (_id(provider), "bold"),
        (f"{state} {since}", _STATE_STYLES.get(state, "cyan")),
        _health(provider, state),
        (f"{calls}, {stuck} stuck", "red") if stuck else calls,
        output.human_bytes(provider.memory_bytes),
        str(provider.start_count),
        str(provider.model_count),
        (provider.source, "dim"),
    ]


def _health(provider: broker_pb2.Provider, state: str) -> Cell:
    if provider.serving:
        return "serving", "green"
    return ("not serving", "red") if state == "ready" else ("-", "dim")


def show_provider(found: broker_pb2.GetProviderResponse, keys: KeyCheck | None, *, as_json: bool) -> None:
    """Everything about one provider. `keys` is what its vendor says of them."""
    if as_json:
        output.print_json({**output.plain(found), **({"keys": asdict(keys)} if keys is not None else {})})
        return
    provider, said, environment = found.provider, found.description, found.environment
    state = _state(provider)
    output.facts(
        {
            "name": (_id(provider), "bold"),
            "title": " ".join(filter(None, (said.display_name, said.version))),
            "state": (f"{state}, {output.ago(provider.state_time.ToSeconds())}", _STATE_STYLES.get(state, "")),
            "why": provider.state_reason,
            "source": provider.source,
            "resolved": provider.resolved_source,
            "runs as": f"{provider.runtime}, {provider.runner}",
            "isolation": found.isolation,
            "capabilities": ", ".join(said.capabilities or provider.capabilities),
            "services": ", ".join(said.services),
            "models": _models(provider.model_count, found.model_counters),
            "calls": f"{provider.active_calls} active, {provider.call_count} in all, {provider.stuck_calls} stuck",
            "queue": f"{provider.queued_calls} waiting, {provider.queue_count} have waited"
            f" {provider.queue_duration.ToMilliseconds() / 1000:g} s in all",
            "at once": str(said.max_concurrency) if said.max_concurrency else "",
            "starts": str(provider.start_count),
            "memory": output.human_bytes(provider.memory_bytes),
            "settings": _indented(said.settings_schema),
            "secrets": "\n".join(f"{secret.name}: {secret.source or 'missing'}" for secret in found.secrets),
            "keys": (str(keys), _KEY_STYLES[keys.accepted]) if keys is not None else "",
            "environment": environment.key,
            "interpreter": environment.interpreter,
            "on disk": output.human_bytes(environment.size_bytes),
            "built in": f"{environment.build_duration.ToMilliseconds() / 1000:.1f} s" if environment.key else "",
            "rebuilt for": environment.rebuild_reason,
            "packages": "\n".join(environment.packages),
        }
    )
    for warning in found.warnings:
        output.styled(("warning", "bold yellow"), (f": {output.safe(warning)}", ""))


def _models(count: int, counters: broker_pb2.ModelCounters) -> str:
    """How many there are, and what has changed about them."""
    news = [
        f"{number} {what}"
        for what, number in (
            ("appeared", counters.models_appeared),
            ("vanished", counters.models_vanished),
            ("capabilities appeared", counters.capabilities_appeared),
            ("capabilities vanished", counters.capabilities_vanished),
        )
        if number
    ]
    return f"{count}; {', '.join(news)} since the broker started" if news else str(count)


def show_voices(voices: Sequence[voices_pb2.Voice], *, as_json: bool) -> None:
    """A table of voices, as options name them."""
    if as_json:
        output.print_json([output.plain(voice) for voice in voices])
        return
    if not voices:
        output.note("no voices")
        return
    rows: list[list[Cell]] = [
        [
            (short(voice.name, "voices"), "bold"),
            ", ".join(voice.languages),
            voice.display_name,
            (voice.description, "dim"),
        ]
        for voice in voices
    ]
    output.table(("voice", "languages", "title", "description"), rows)


def show_log_lines(news: broker_pb2.TailLogsResponse) -> None:
    """Lines with their time and level; how many were lost is said on stderr."""
    if news.dropped:
        output.note(f"… {news.dropped} lines were lost here", style="yellow")
    for line in news.lines:
        style = _LEVEL_STYLES.get(line.level, "")
        time = datetime.fromtimestamp(line.time.ToMilliseconds() / 1000).strftime("%H:%M:%S")
        output.styled((f"{time} ", "dim"), (f"{line.level:<8}", style or "dim"), (output.safe(line.text), style))


def _id(provider: broker_pb2.Provider) -> str:
    return provider.name.removeprefix("providers/")


def _state(provider: broker_pb2.Provider) -> str:
    return broker_pb2.ProviderState.Name(provider.state).removeprefix("PROVIDER_STATE_").lower()


def _indented(schema: str) -> str:
    properties = json.loads(schema).get("properties") if schema else None
    return json.dumps(json.loads(schema), indent=2, ensure_ascii=False) if properties else ""
