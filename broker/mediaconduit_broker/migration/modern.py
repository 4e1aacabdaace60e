"""The manifest a repository has here. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from mediaconduit_broker.manifest.normalise import normalise_capabilities, normalise_id
from mediaconduit_broker.migration.facts import Repository
from mediaconduit_broker.migration.surface import PACKAGE

_KEY: Final = re.compile(r"(^|_)(API_?KEY|KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?)($|_)")
_NO_KEYS: Final = frozenset({"MAX_TOKENS", "TOKEN_LIMIT"})
_MODEL_CLASS: Final = re.compile(r"(Text|Image|Audio|Video)To(Text|Image|Audio|Video)(Model|Provider)")
_LICENSES: Final = {
    "MIT License": "MIT",
    "Permission is hereby granted, free of charge": "MIT",
    "Apache License Version 2.0": "Apache-2.0",
    "Mozilla Public License Version 2.0": "MPL-2.0",
    "GNU GENERAL PUBLIC LICENSE Version 3": "GPL-3.0-only",
    "ISC License": "ISC",
}
"""What licences begin with."""
_OWN: Final = frozenset({"NODE_ENV", "DEBUG", "CI", "HOME", "PATH", "PWD", "TZ", "LANG"})
"""Variables of the process, not of the provider."""


def render(repository: Repository) -> str:
    """The manifest's text: what is known, with comments where somebody may want to look."""
    manifest, package, code = repository.manifest, repository.package, repository.code
    capabilities, tags = capabilities_of(repository)
    secrets = secrets_of(repository)
    plain = [name for name in code.variables if name not in secrets and name not in _OWN]
    provider_id = id_of(repository)
    lines = [
        f"# Made by `mediaconduit migrate`{f' from {repository.manifest_file}' if repository.manifest_file else ''}."
    ]
    lines += _entries(
        id=provider_id,
        name=str(manifest.get("name") or provider_id),
        description=_sentence(manifest.get("description") or package.get("description")),
        version=str(manifest.get("version") or package.get("version") or "0.0.0"),
        runtime="node",
        entry=repository.entry or "src/index.ts",
        capabilities=list(capabilities),
        tags=list(dict.fromkeys([*_strings(manifest.get("tags")), *tags])),
    )
    if secrets:
        lines.append("# Keys it reads. The broker finds and hands them over; calls fail while one is missing.")
        lines += _entries(secrets=secrets)
    if plain:
        lines.append("# Plain variables it reads, passed on where the broker has them.")
        lines += _entries(environment=plain)
    if code.hosts or secrets:
        lines += _entries(network=True)
    lines += _entries(
        license=license_of(repository),
        homepage=_text(manifest.get("homepage") or package.get("homepage")),
        repository=_repository(manifest.get("repository") or package.get("repository")),
        author=_author(manifest.get("author") or package.get("author")),
    )
    return "\n".join(lines) + "\n"


def id_of(repository: Repository) -> str:
    """Its id: the manifest's, else from the name of its package or folder."""
    stated = repository.manifest.get("id") or repository.package.get("name") or repository.name
    plain = str(stated).rpartition("/")[2]
    if not repository.manifest.get("id"):
        plain = plain.removesuffix("-provider") or plain
    made = normalise_id(plain)[0]
    return made if made and made[0].isalnum() else "provider"


def capabilities_of(repository: Repository) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Its capabilities, and words for them that are none of the contract's: from manifest and models, else the code."""
    manifest = repository.manifest
    words = [*_strings(manifest.get("capabilities")), *_strings(manifest.get("capability"))]
    models = manifest.get("models")
    entries = [models] if isinstance(models, Mapping) else models if isinstance(models, list) else []
    for entry in entries:
        if isinstance(entry, Mapping):
            words += [*_strings(entry.get("capabilities")), *_strings(entry.get("capability"))]
    if not words:
        names = {name for path, found in repository.code.imports if path.startswith(PACKAGE) for name in found}
        matches = [match for name in sorted(names) if (match := _MODEL_CLASS.fullmatch(name))]
        words = [f"{match[1]}-to-{match[2]}".lower() for match in matches]
    capabilities, tags, _ = normalise_capabilities(words)
    return capabilities, tags


def secrets_of(repository: Repository) -> list[str]:
    """Variables that hold keys."""
    return [name for name in repository.code.variables if is_key(name)]


def is_key(variable: str) -> bool:
    """Whether a variable of this name holds a secret."""
    upper = variable.upper()
    return bool(_KEY.search(upper)) and not any(upper.endswith(word) for word in _NO_KEYS)


def license_of(repository: Repository) -> str:
    """Its licence, as manifest or package.json names it or its text begins; empty when none does."""
    stated = _text(repository.manifest.get("license") or repository.package.get("license"))
    if stated and not stated.upper().startswith(("SEE LICENSE", "UNLICENSED")):
        return stated
    return next((name for words, name in _LICENSES.items() if words in " ".join(repository.license_text.split())), "")


def _entries(**values: Any) -> Iterator[str]:
    """A line for each value that is not empty."""
    for key, value in values.items():
        if value:
            dumped = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6)
            yield f"{key}: {dumped.removesuffix('...' + chr(10)).strip()}"


def _sentence(stated: Any) -> str:
    return " ".join(_text(stated).split())


def _text(stated: Any) -> str:
    return stated if isinstance(stated, str) else ""


def _strings(stated: Any) -> list[str]:
    if isinstance(stated, str):
        return [stated]
    return [entry for entry in stated if isinstance(entry, str)] if isinstance(stated, list) else []


def _repository(stated: Any) -> str:
    url = stated.get("url", "") if isinstance(stated, Mapping) else stated
    return _text(url).removeprefix("git+")


def _author(stated: Any) -> str:
    return _text(stated.get("name") if isinstance(stated, Mapping) else stated)
