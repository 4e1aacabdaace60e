"""Makes a provider's folder from templates."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from mediaconduit.errors import InvalidRequestError

from mediaconduit_broker.manifest import read_manifest
from mediaconduit_broker.manifest.read import NAMES

_TEMPLATES: Final = Path(__file__).parent
_MANIFEST: Final = f"{NAMES[0]}.tmpl"
_TESTS: Final = {"python": "pytest", "node": "npm test", "go": "go test ./...", "rust": "cargo test"}
_ORDER: Final = ("python", "node", "go", "rust")
_TAKEN: Final = frozenset({"AsyncIterator", "Call", "InputSpec", "Model", "Pricing", "Provider", "Usage"})
"""Names the template imports."""


LANGUAGES: Final = tuple(name for name in _ORDER if (_TEMPLATES / name / _MANIFEST).is_file())
"""Those there are templates for."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was made."""

    provider_id: str
    language: str
    folder: Path
    files: tuple[Path, ...]

    @property
    def source(self) -> str:
        """The folder as a source, which a bare name is not."""
        return str(self.folder) if self.folder.is_absolute() else f"./{self.folder}"

    @property
    def tests(self) -> str:
        """The command that runs its tests, in the environment the broker makes."""
        return _TESTS.get(self.language, "")

    @property
    def builds(self) -> bool:
        """Whether it is built by commands of its own, which must be allowed."""
        return bool(read_manifest(self.folder).build)


def create(name: str, where: Path, language: str) -> Made:
    """Makes the folder `name` in `where`, from the templates of one of `LANGUAGES`.

    Raises:
        InvalidRequestError: The name makes no provider id, or the folder is there already.
    """
    provider_id = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    words = provider_id.split("-")
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,62}", provider_id) or Path(name).name != name:
        raise InvalidRequestError.at("NAME", f"{name!r} is no name for a provider", hint="use letters, digits and '-'")
    class_name = "".join(word.capitalize() for word in words)
    if keyword.iskeyword(class_name) or class_name in _TAKEN:
        class_name += "Provider"
    folder = where / name
    if folder.exists():
        raise InvalidRequestError.at("NAME", f"{folder} is there already", hint="nothing was changed; choose another")
    package = "_".join([*words, "provider"])
    values = {
        "provider_id": provider_id,
        "title": " ".join(word.capitalize() for word in words),
        "package": package,
        "class_name": class_name,
        "snake": "_".join(words),
    }
    return Made(provider_id, language, folder, tuple(_write(folder, package, values, _TEMPLATES / language)))


def _write(folder: Path, package: str, values: dict[str, str], templates: Path) -> list[Path]:
    written = []
    for template in sorted(templates.rglob("*.tmpl")):
        inside = Path(*(package if part == "package" else part for part in template.relative_to(templates).parts))
        target = folder / inside.with_suffix("")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(Template(template.read_text(encoding="utf-8")).substitute(values), encoding="utf-8")
        written.append(target)
    return written
