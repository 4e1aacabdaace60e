"""Configuration: frozen, by concern, read from TOML. Unknown keys are errors."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from mediaconduit.errors import FieldViolation, PreconditionError, Reason


class ResourceLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one sidecar may use, with all it starts: ``[providers.NAME.limits]``, ``[isolation.limits]``. 0 = none."""

    memory_bytes: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """Bytes of memory; beyond them the kernel ends it."""
    processes: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """Processes and threads together."""
    open_files: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """Files and sockets open in one process."""
    cpus: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """Processor time, in cores: 1.5."""


class IsolationConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Table ``[isolation]``."""

    users: Literal["auto", "required", "off"] = "auto"
    """Whether each provider runs under a user of its own: where that works, always or not at all, never."""
    first_uid: Annotated[int, msgspec.Meta(ge=1000)] = 61000
    """Lowest number for such users. They need no entries in /etc/passwd."""
    last_uid: Annotated[int, msgspec.Meta(le=4_000_000_000)] = 61999
    """Highest number."""
    sandbox: Literal["off", "bubblewrap"] = "off"
    """Whether providers run in a sandbox."""
    transport: Literal["unix", "tcp"] = "unix"
    """How the broker talks to sidecars: Unix sockets in private folders, or TCP with mutual TLS on the loopback."""
    limits: ResourceLimits = msgspec.field(default_factory=ResourceLimits)
    """What any one sidecar may use."""


class ProviderConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A provider the broker loads when it starts: table ``[providers.NAME]``."""

    source: str
    """What to load: "cowsay", "github:owner/name@v1", "/srv/mine" (docs/sources.md has all forms)."""
    settings: dict[str, Any] = msgspec.field(default_factory=dict)
    """Handed over by Configure at every start. A text "secret:NAME" stands for that secret."""
    secrets: dict[str, str] = msgspec.field(default_factory=dict)
    """For secrets its manifest names, the name of the one it is given instead; empty = it is not given any."""
    allow_build: bool = False
    """It may run the build commands of its manifest, which is code of its repository."""
    allow_indexes: list[str] = msgspec.field(default_factory=list)
    """Package indexes, and places of single packages, that its own files may name: URLs, each with all below it."""
    start_timeout: float | None = None
    """Seconds to READY; None = as the manifest says, else 60."""
    idle_timeout: float | None = None
    """Seconds without a call after which its sidecar stops; 0 = never; None = as in the limits."""
    priority: int = 0
    """When memory is short, those with the lowest go first."""
    pinned: bool = False
    """Never stopped for being idle or for its memory."""
    limits: ResourceLimits = msgspec.field(default_factory=ResourceLimits)
    """What its sidecar may use; what is absent is as in ``[isolation.limits]``."""
    sandbox: Literal["off", "bubblewrap"] | None = None
    """Whether it runs in a sandbox; None = as in ``[isolation]``."""
    readable: list[str] = msgspec.field(default_factory=list)
    """Files and folders it may read in a sandbox, beside its own."""

    def __repr__(self) -> str:
        # Settings may hold keys.
        return f"ProviderConfig({self.source!r}, …)"


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Table ``[limits]``."""

    start_timeout: float = 60.0
    """Seconds a sidecar may take to become ready."""
    fetch_timeout: float = 120.0
    """Seconds one fetch of a repository or package may take."""
    build_timeout: float = 600.0
    """Seconds a build may take."""
    builds_at_once: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Environments that are built at a time; the others wait. 0 = half as many as there are processors."""
    starts_at_once: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Sidecars that start at a time; the others wait. 0 = half as many as there are processors."""
    drain_timeout: float = 10.0
    """Seconds running calls get to end when a provider stops."""
    idle_timeout: float = 900.0
    """Seconds without a call after which a sidecar stops; the next call starts it. 0 = never."""
    queue_length: int = 100
    """Calls that may wait for a place in one provider."""
    memory_bytes: int = 0
    """What all sidecars may weigh together; the least recently used that nobody uses stop first. 0 = no limit."""
    check_idle: float = 30.0
    """Seconds between health checks of a sidecar without calls."""
    check_busy: float = 2.0
    """The same with calls; also how long a check may take."""
    check_models: Annotated[float, msgspec.Meta(ge=0)] = 300.0
    """Seconds between two looks at which models the running providers have. 0 = only when they start or are asked."""
    stuck_timeout: float = 30.0
    """Seconds a cancelled call may hold its place before its sidecar is replaced."""
    environments_bytes: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Bytes all environments may take; beyond, the least recently used that nobody uses go. 0 = no limit."""
    replay_bytes: int = 8 * 1024 * 1024
    """Bytes of events kept for a repeated request_id."""
    replay_seconds: float = 60.0
    """How long they are kept after the call."""


class SourcesConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Table ``[sources]``."""

    rewrite: dict[str, str] = msgspec.field(default_factory=dict)
    """Mirrors: beginnings of git URLs and what to put in their place; the longest counts."""
    tokens: dict[str, str] = msgspec.field(default_factory=dict)
    """For private repositories: beginnings of git URLs, as they are after rewriting, and the name of a secret."""


class SecretsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Table ``[secrets]``: where the keys of vendors come from."""

    order: list[Literal["environment", "folder", "command"]] = msgspec.field(
        default_factory=lambda: ["environment", "folder", "command"]
    )
    """Which sources are asked, and in which order; the first that has a secret counts."""
    folder: str | None = None
    """A folder with one file for each secret."""
    command: list[str] | None = None
    """A program and its arguments whose output is the secret; ``{name}`` stands for its name."""
    command_timeout: float = 10.0
    """Seconds it may take."""


class TrustConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Table ``[trust]``: whose code may run."""

    allow: list[str] = msgspec.field(default_factory=list)
    """Places that providers may come from, beside the catalog: "github:acme/*" (docs/trust.md has all forms)."""
    lock: str = "mediaconduit.lock"
    """The lock file; relative ones stand beside the configuration."""
    frozen: bool = False
    """Run nothing but what it holds."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of ``mediaconduit.toml``."""

    listen: str = "127.0.0.1:50051"
    """Address the broker serves on: "host:port", port 0 = any free one."""
    state_dir: str | None = None
    """Folder for environments, settings and logs; None = the platform's."""
    detached: bool = False
    """Whether sidecars survive the broker: the next one on the same state folder finds them again."""
    lease_seconds: float = 60.0
    """How long detached sidecars run on without a broker."""
    providers: dict[str, ProviderConfig] = msgspec.field(default_factory=dict)
    """Providers to load at start, by id."""
    aliases: dict[str, str] = msgspec.field(default_factory=dict)
    """Other names for models: ``fast = "cowsay/default"``."""
    sources: SourcesConfig = msgspec.field(default_factory=SourcesConfig)
    """How code is fetched."""
    secrets: SecretsConfig = msgspec.field(default_factory=SecretsConfig)
    """Where keys come from."""
    trust: TrustConfig = msgspec.field(default_factory=TrustConfig)
    """Whose code may run."""
    isolation: IsolationConfig = msgspec.field(default_factory=IsolationConfig)
    """How sidecars are kept apart."""
    limits: Limits = msgspec.field(default_factory=Limits)
    """Bounds."""


def load(path: Path | None, overrides: Mapping[str, Any] | None = None) -> Config:
    """Reads a config file; None gives the defaults. `overrides` (not None values) win.

    Raises:
        PreconditionError: The file is missing, not TOML, or says something that is not configuration.
    """
    raw: dict[str, Any] = {}
    if path is not None:
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise _invalid(f"there is no config file {path.name}", hint="check --config") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise _invalid(f"{path.name} is not valid TOML: {error}") from None
    raw |= {key: value for key, value in (overrides or {}).items() if value is not None}
    try:
        config = msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        raise _explained(str(error)) from None
    _check(config)
    return config


def with_trust(config: Config, **changes: Any) -> Config:
    """The configuration with these values (not None) in its table ``[trust]``."""
    given = {name: value for name, value in changes.items() if value is not None}
    return msgspec.structs.replace(config, trust=msgspec.structs.replace(config.trust, **given))


def _check(config: Config) -> None:
    host, _, port = config.listen.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise _invalid("listen: not an address", "listen", hint='write it as "host:port", e.g. "127.0.0.1:50051"')
    for prefix, target in config.sources.rewrite.items():
        if re.search(r"://[^/]*@", target) and not target.startswith("ssh://"):
            raise _invalid(
                "sources.rewrite: a URL carries credentials",
                "sources.rewrite",
                hint="give them to git (a credential helper, ~/.netrc) or name a secret in sources.tokens",
            )
        if not prefix or not re.match(r"(?:https?|ssh|file)://|[\w.-]+@", target):
            raise _invalid("sources.rewrite: not the beginning of a git URL", "sources.rewrite")
    _check_secrets(config.secrets)
    if config.detached and config.isolation.transport == "tcp":
        raise _invalid(
            "isolation.transport: tcp does not go with detached",
            "isolation.transport",
            hint="the keys would have to be kept for the next broker; take unix",
        )
    if config.isolation.first_uid > config.isolation.last_uid:
        raise _invalid("isolation.last_uid: lower than first_uid", "isolation.last_uid", hint="see docs/isolation.md")
    if not 1 <= config.lease_seconds <= 86_400 * 7:
        raise _invalid("lease_seconds: not a time between a second and a week", "lease_seconds")
    for name in config.providers:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", name):
            raise _invalid(
                f"providers.{name}: not a provider id",
                f"providers.{name}",
                hint="ids have lower-case letters, digits and '-'",
            )


def _check_secrets(secrets: SecretsConfig) -> None:
    if len(set(secrets.order)) != len(secrets.order):
        raise _invalid("secrets.order: names a source twice", "secrets.order")
    if secrets.command is not None and not any("{name}" in part for part in secrets.command[1:]):
        raise _invalid(
            "secrets.command: does not say where the secret's name goes",
            "secrets.command",
            hint='write {name} in its place, e.g. ["pass", "show", "{name}"]',
        )
    for source, given in (("folder", secrets.folder), ("command", secrets.command)):
        if given is not None and source not in secrets.order:
            raise _invalid(f"secrets.{source}: is never asked", f"secrets.{source}", hint="name it in secrets.order")


def _explained(message: str) -> PreconditionError:
    """msgspec's message ("Object contains unknown field `lisen` - at `$.x`") as one of ours, with the nearest key."""
    where = match[1].lstrip("$").lstrip(".") if (match := re.search(r" - at `(\S+)`$", message)) else ""
    where = where.replace("[...]", "")
    text = message.split(" - at ")[0]
    hint = ""
    if unknown := re.search(r"unknown field `(.+?)`", text):
        known = _keys(where)
        near = difflib.get_close_matches(unknown[1], known, n=1)
        where = f"{where}.{unknown[1]}".lstrip(".")
        text = "there is no such key"
        hint = f"did you mean `{near[0]}`?" if near else f"keys here are {', '.join(known)}"
    return _invalid(f"{where or 'the config'}: {text}", where, hint=hint)


def _keys(where: str) -> list[str]:
    tables: dict[str, type[msgspec.Struct]] = {
        "providers": ProviderConfig,
        "limits": Limits,
        "sources": SourcesConfig,
        "secrets": SecretsConfig,
        "trust": TrustConfig,
        "isolation": IsolationConfig,
    }
    kind = ResourceLimits if where.endswith(".limits") else tables.get(where.partition(".")[0], Config)
    return [field.encode_name for field in msgspec.structs.fields(kind)]


def _invalid(message: str, field: str = "", *, hint: str = "") -> PreconditionError:
    fields = [FieldViolation(field, message)] if field else []
    return PreconditionError(message, reason=Reason.INPUT_INVALID, fields=fields, hint=hint)
