"""First-party providers of vendors, imported from their folders as the host does."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import yaml
from mediaconduit_provider import Provider

PROVIDERS = Path(__file__).parents[3] / "providers"


def provider_class(name: str) -> type[Provider]:
    """The class that the manifest of ``providers/<name>`` names as its entry."""
    folder = PROVIDERS / name
    manifest = yaml.safe_load((folder / "MediaConduit.provider.yml").read_text(encoding="utf-8"))
    module, _, cls = manifest["entry"].partition(":")
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    found = getattr(importlib.import_module(module), cls)
    assert issubclass(found, Provider)
    return found


def variables() -> dict[str, list[str]]:
    """Names of the keys each provider that is built on `mediaconduit-vendors` needs, by its folder's name."""
    found = {}
    for manifest in sorted(PROVIDERS.glob("*/MediaConduit.provider.yml")):
        project = manifest.with_name("pyproject.toml")
        if project.exists() and '"mediaconduit-vendors' in project.read_text(encoding="utf-8"):
            found[manifest.parent.name] = list(
                yaml.safe_load(manifest.read_text(encoding="utf-8")).get("secrets") or ()
            )
    return found
