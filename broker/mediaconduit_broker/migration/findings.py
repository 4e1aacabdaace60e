"""What of a repository runs as it is, what it needs, and what is made to fit. Pure."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mediaconduit_broker.migration.facts import Repository
from mediaconduit_broker.migration.modern import capabilities_of, id_of, is_key, license_of, secrets_of
from mediaconduit_broker.migration.surface import PACKAGE, deep_path, is_known

_INSTALL_SCRIPTS: Final = ("preinstall", "install", "postinstall", "prepare")
_SERVICE: Final = re.compile(r"(docker)?service(manager)?", re.I)
_OWN_SCOPE: Final = "@mediaconduit/"
_LOCAL_VERSION: Final = ("file:", "link:", "workspace:", "portal:")


class Kind(enum.StrEnum):
    """How much a finding matters."""

    RUNS = "runs"
    """As it is."""
    FITTED = "fitted"
    """The host or the new manifest takes care of it."""
    NEEDS = "needs"
    """Somebody must give it something."""
    BREAKS = "breaks"
    """It will not run before it is changed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a repository."""

    kind: Kind
    about: str
    """A word or two: "key", "service", "imports"."""
    detail: str
    advice: str = ""
    """What to do, where somebody must."""


def findings(repository: Repository) -> list[Finding]:
    """Everything worth knowing, by kind and then in the order a reader goes through a repository."""
    if repository.is_service:
        return [_service_repository(repository)]
    found = [
        *_manifest(repository),
        *_entry(repository),
        *_surface(repository),
        *_packages(repository),
        *_needs(repository),
        *_service(repository),
        *_calls(repository),
    ]
    order = list(Kind)
    return sorted(found, key=lambda finding: order.index(finding.kind))


def needs_service(repository: Repository) -> bool:
    """Whether the provider is the client of a Docker service of its own."""
    code = repository.code
    is_docker = code.base == "AbstractDockerProvider" or any(
        _SERVICE.fullmatch(name) for name in (*code.constructor, *code.optional)
    )
    return is_docker or bool(repository.manifest.get("serviceUrl"))


def _manifest(repository: Repository) -> Iterator[Finding]:
    manifest = repository.manifest
    if not repository.manifest_file:
        yield Finding(Kind.FITTED, "manifest", "it has none: the new one is made from package.json and the code")
    elif not manifest:
        yield Finding(Kind.FITTED, "manifest", f"{repository.manifest_file} is empty: made from package.json and code")
    stated, made = str(manifest.get("id") or ""), id_of(repository)
    if stated and stated != made:
        yield Finding(Kind.FITTED, "id", f"{stated} becomes {made}")
    capabilities, tags = capabilities_of(repository)
    if not capabilities:
        advice = "write them into the new manifest: text-to-text, text-to-image, …"
        yield Finding(Kind.NEEDS, "capabilities", "neither manifest nor code says any", advice)
    if tags:
        yield Finding(Kind.FITTED, "capabilities", f"{', '.join(tags)}: none of the contract, kept as tags")
    if not license_of(repository) and repository.license_file:
        detail = f"in {repository.license_file} alone"
        yield Finding(Kind.NEEDS, "license", detail, "name it in the new manifest: license: Apache-2.0, MIT, …")
    elif not license_of(repository):
        detail = "neither manifest nor package.json names one"
        yield Finding(Kind.NEEDS, "license", detail, "a repository without one must not be used by others: choose one")


def _entry(repository: Repository) -> Iterator[Finding]:
    code, main = repository.code, str(repository.manifest.get("main") or "")
    if not repository.entry:
        yield Finding(
            Kind.BREAKS, "entry", "there is no src/index.ts", "export the provider's class from it by default"
        )
        return
    if main and main != repository.entry:
        yield Finding(
            Kind.FITTED, "entry", f"main is {main}, which is not in the repository: {repository.entry} is used"
        )
    if not code.has_default and not code.class_name:
        advice = "`export default class … ` the provider there"
        yield Finding(Kind.BREAKS, "entry", f"{repository.entry} exports no provider", advice)
        return
    name = code.class_name or "the default export"
    yield Finding(
        Kind.RUNS, "entry", f"{name} of {repository.entry}, TypeScript as it is: {_count(code.files, 'file')}"
    )
    stated = str(repository.manifest.get("exportName") or "")
    if code.class_name and stated not in ("", "default", code.class_name):
        yield Finding(Kind.FITTED, "entry", f"exportName is {stated}, which is not exported: {name} is used")
    strange = [parameter for parameter in code.constructor if not _SERVICE.fullmatch(parameter)]
    if strange:
        advice = "give them defaults; keys and settings come by configure() and by variables"
        yield Finding(Kind.BREAKS, "constructor", f"it wants {', '.join(strange)}, which nobody gives it", advice)
    for missing in code.missing:
        yield Finding(Kind.FITTED, "imports", f"{missing}, which is not there: an empty module stands for it")


def _surface(repository: Repository) -> Iterator[Finding]:
    ours = {path: names for path, names in repository.code.imports if path == PACKAGE or path.startswith(PACKAGE + "/")}
    unknown = sorted(path for path in ours if not is_known(path))
    for path in unknown:
        names = ", ".join(sorted(ours[path])) or "it"
        advice = f"copy {names} into the repository, or do without"
        yield Finding(Kind.BREAKS, "imports", f"{deep_path(path)} of {PACKAGE} is not there here", advice)
    if known := len(ours) - len(unknown):
        symbols = {name for path, names in ours.items() if path not in unknown for name in names}
        detail = f"{known} path{'s' if known > 1 else ''} of {PACKAGE} with {_count(symbols, 'name')}, all there"
        yield Finding(Kind.RUNS, "imports", detail)


def _packages(repository: Repository) -> Iterator[Finding]:
    declared = _versions(repository.package.get("dependencies"))
    stated = _versions(repository.manifest.get("dependencies"))
    wanted = sorted(name for name in repository.code.packages if not name.startswith(_OWN_SCOPE))
    if plain := [name for name in wanted if name in declared and not declared[name].startswith(_LOCAL_VERSION)]:
        yield Finding(Kind.RUNS, "packages", f"{', '.join(plain)} from npm")
    for name in wanted:
        if declared.get(name, "").startswith(_LOCAL_VERSION):
            yield Finding(Kind.BREAKS, "packages", f"{name} is taken from {declared[name]}", "name a published version")
        elif name not in declared and name in stated:
            yield Finding(Kind.FITTED, "packages", f"{name} {stated[name]}: from the manifest, package.json lacks it")
        elif name not in declared:
            yield Finding(
                Kind.BREAKS, "packages", f"imports {name}, which package.json does not list", f"npm install {name}"
            )
    if own := sorted(name for name in declared if name.startswith(_OWN_SCOPE)):
        aside = "".join(f" and {lock}" for lock in repository.locks)
        yield Finding(
            Kind.FITTED, "packages", f"{', '.join(own)}{aside} set aside: on no public registry, the host has it"
        )
    scripts = [name for name in _INSTALL_SCRIPTS if name in (repository.package.get("scripts") or {})]
    if scripts:
        yield Finding(Kind.FITTED, "scripts", f"{', '.join(scripts)} of package.json are not run")


def _needs(repository: Repository) -> Iterator[Finding]:
    code = repository.code
    for name in secrets_of(repository):
        prefix = "".join(f"; it must begin with {prefix}" for prefix in code.key_prefixes)
        yield Finding(
            Kind.NEEDS, "key", f"{name}{prefix}", f"export {name}=… before `mediaconduit up`, or see docs/secrets.md"
        )
    if plain := [name for name in code.variables if not is_key(name)]:
        yield Finding(Kind.RUNS, "variables", f"{', '.join(plain)} passed on where the broker has them")
    if code.hosts and not any(name.endswith("_URL") for name in code.variables):
        yield Finding(Kind.NEEDS, "network", f"{', '.join(code.hosts)}: in the code, cannot be changed from outside")
    elif code.hosts:
        yield Finding(Kind.NEEDS, "network", ", ".join(code.hosts))


def _service(repository: Repository) -> Iterator[Finding]:
    if not needs_service(repository):
        return
    url = str(repository.manifest.get("serviceUrl") or "")
    advice = f"start it ({url} has its compose file), " if url else "start it, "
    advice += "and give its address: --set service_url=http://localhost:PORT with `mediaconduit provider add`"
    yield Finding(Kind.NEEDS, "service", f"its Docker service{f' {url}' if url else ''}", advice)


def _calls(repository: Repository) -> Iterator[Finding]:
    methods = repository.code.methods
    if "transformStream" in methods:
        yield Finding(Kind.RUNS, "streaming", "by transformStream")
    elif "transform" in methods:
        yield Finding(Kind.FITTED, "streaming", "its answers come whole: there is no transformStream")
    if "transformConversation" in methods:
        yield Finding(Kind.RUNS, "conversations", "several turns, by transformConversation")


def _service_repository(repository: Repository) -> Finding:
    compose = (
        f"`docker compose up` starts it ({repository.compose_file})"
        if repository.compose_file
        else "it has no compose file"
    )
    advice = f"{compose}; give its address to the provider that uses it, and migrate that"
    return Finding(
        Kind.NEEDS, "service", "this is a Docker service, not a provider: there is nothing to migrate", advice
    )


def _versions(stated: Any) -> dict[str, str]:
    """Packages by name, from a map or a list of one-key maps."""
    if isinstance(stated, Mapping):
        return {str(name): str(version) for name, version in stated.items()}
    maps = [entry for entry in stated if isinstance(entry, Mapping)] if isinstance(stated, list) else []
    return {str(name): str(version) for entry in maps for name, version in entry.items()}


def _count(things: Any, what: str) -> str:
    return f"{len(things)} {what}{'' if len(things) == 1 else 's'}"
