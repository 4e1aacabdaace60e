"""The allow-list at the command line, and where a broker keeps what it needs for it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mediaconduit.errors import NotFoundError

from mediaconduit_broker import config as configuration
from mediaconduit_broker.cli import output
from mediaconduit_broker.config import Config
from mediaconduit_broker.sources import Sources
from mediaconduit_broker.state import StateFolder
from mediaconduit_broker.trust import AllowedFile, gate_of
from mediaconduit_broker.trust.patterns import parse_pattern


@dataclass(frozen=True, slots=True)
class BrokerPlace:
    """Files of a broker, whether it runs or not."""

    config: Config
    base: Path
    """Folder of its configuration."""
    state: StateFolder


def place(
    config: Path | None, state_dir: Path | None, environ: Mapping[str, str], *, lock: Path | None = None
) -> BrokerPlace:
    """Where a broker started with these options looks.

    Args:
        config: None = mediaconduit.toml where there is one.
        state_dir: None = the configuration's.
        environ: The command's variables.
        lock: None = the configuration's.

    Raises:
        PreconditionError: The configuration is wrong.
    """
    if config is None and Path("mediaconduit.toml").is_file():
        config = Path("mediaconduit.toml")
    wanted = configuration.load(config, {"state_dir": str(state_dir) if state_dir else None})
    wanted = configuration.with_trust(wanted, lock=str(lock.absolute()) if lock else None)
    state = StateFolder.at(wanted.state_dir, environ)
    return BrokerPlace(wanted, config.resolve().parent if config else Path.cwd(), state)


def fetching(where: BrokerPlace, environ: Mapping[str, str]) -> Sources:
    """What fetches code for a command, by the configuration; relative folders start where the command does."""
    from mediaconduit_broker.server import secrets_of, sources_of

    secrets = secrets_of(where.config, environ, where.base)
    return sources_of(where.config, where.state, environ, Path.cwd(), secrets)


def add(text: str, where: BrokerPlace) -> None:
    """Keeps a pattern.

    Raises:
        PreconditionError: It is none.
    """
    pattern = parse_pattern(_pattern(text))
    if AllowedFile(where.state.root).add(pattern):
        output.done("allowed", pattern.text)
    else:
        output.note(f"{pattern.text} was allowed already")


def remove(text: str, where: BrokerPlace) -> None:
    """Drops a pattern.

    Raises:
        NotFoundError: It was not added.
    """
    wanted, kept = _pattern(text), AllowedFile(where.state.root)
    if kept.remove(wanted):
        output.done("no longer allowed", wanted)
        return
    known = [pattern.text for pattern in kept.read()]
    near = difflib.get_close_matches(wanted, known, n=3)
    if wanted == "catalog":
        hint = "bundled providers are always allowed"
    elif wanted in where.config.trust.allow:
        hint = "it stands in allow in [trust] of the config: take it out there"
    else:
        hint = f"did you mean {' or '.join(near)}?" if near else "`mediaconduit trust ls` lists what was"
    raise NotFoundError(f"{wanted} was not added at the command line", hint=hint)


def show(where: BrokerPlace, *, as_json: bool) -> None:
    """Prints the allow-list."""
    policy = gate_of(where.config, where.state, base=where.base).policy
    rows = policy.patterns()
    if as_json:
        output.print_json([{"pattern": pattern, "from": source} for pattern, source in rows])
        return
    output.table(("PATTERN", "FROM"), [(pattern, (source, "dim")) for pattern, source in rows])
    if policy.own_folders:
        output.note("folders that belong to the broker's user, and that nobody else may write to, are allowed as well")


def _pattern(text: str) -> str:
    """A folder as people write it becomes a pattern; anything else is one."""
    if text.startswith((".", "~", "/")) and not re.match(r"[a-z]+:", text):
        return f"file:{Path(text).expanduser().absolute().resolve()}"
    return text
