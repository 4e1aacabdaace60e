"""Keys in files. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

_KNOWN: Final = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "an AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{60,})\b",
    "a GitLab token": r"\bglpat-[\w-]{20,}\b",
    "a Google API key": r"\bAIza[\w-]{35}\b",
    "a Hugging Face token": r"\bhf_[A-Za-z0-9]{30,}\b",
    "a Replicate token": r"\br8_[A-Za-z0-9]{30,}\b",
    "a Slack token": r"\bxox[abprs]-[\w-]{20,}\b",
    "an npm token": r"\bnpm_[A-Za-z0-9]{36}\b",
    "a PyPI token": r"\bpypi-AgEIcHlwaS5vcmc[\w-]{40,}",
    "an Anthropic key": r"\bsk-ant-[\w-]{20,}",
    "an OpenAI-style key": r"\bsk-(?:proj-|or-v1-)?[A-Za-z0-9]{32,}\b",
    "a Stripe key": r"\b[rs]k_live_[A-Za-z0-9]{20,}\b",
    "a password in a URL": r"\bhttps?://[^\s/:@\"'{}$<>]+:[^\s/@\"'{}$<>]{6,}@[\w.-]+",
}
_PATTERNS: Final = {what: re.compile(pattern) for what, pattern in _KNOWN.items()}
_ASSIGNED: Final = re.compile(
    r"""(?i)\b[\w-]*(?:api[_-]?key|secret|token|password|passwd)["']?\s*[:=]\s*["']([^"'\s{}$<>]{16,})["']"""
)
_RANDOM_BITS: Final = 3.5
"""Entropy of a character from which a text that is called a key is one. Words stay below, hexadecimals reach 4."""
_FILES: Final = re.compile(
    r"\.env(?:\.(?!example|sample|template)[\w-]+)?|id_(?:rsa|dsa|ecdsa|ed25519)|[\w.-]+\.(?:pem|p12|pfx|jks|keystore)"
    r"|\.npmrc|\.pypirc|\.netrc|credentials\.json|service-account[\w-]*\.json"
)
_ALLOWED: Final = "mediaconduit: not a secret"
"""On a line, says that what looks like a key on it is none."""


@dataclass(frozen=True, slots=True)
class Leak:
    """Where there is a key, or what looks like one. Never the key."""

    path: str
    line: int
    """0 = the whole file."""
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}" if self.line else f"{self.path}: {self.what}"


def leaks(path: str, text: str, values: Mapping[str, str]) -> Iterator[Leak]:
    """Keys in a file.

    Args:
        path: In the repository.
        text: What it holds; empty for what is no text.
        values: Secrets of this machine by name: found wherever they stand.
    """
    if _FILES.fullmatch(PurePosixPath(path).name) and not path.endswith((".pub", ".crt")):
        yield Leak(path, 0, "a file that holds keys, by its name")
    for number, line in enumerate(text.splitlines(), 1):
        own = [name for name, value in values.items() if len(value) >= _SHORTEST and value in line]
        if own:
            yield Leak(path, number, f"the value of {own[0]}")
        elif _ALLOWED not in line and (what := _looks_like(line)):
            yield Leak(path, number, what)


_SHORTEST: Final = 8
"""A shorter value may stand in a file by chance."""


def shown(found: Iterable[Leak], most: int = 8) -> str:
    """The places, one a line."""
    every = [str(leak) for leak in found]
    more = [f"and {len(every) - most} more"] if len(every) > most else []
    return "\n".join([*every[:most], *more])


def _looks_like(line: str) -> str:
    for what, pattern in _PATTERNS.items():
        if pattern.search(line):
            return what
    match = _ASSIGNED.search(line)
    return "what looks like a key" if match and _bits(match[1]) >= _RANDOM_BITS and _mixed(match[1]) else ""


def _bits(text: str) -> float:
    """Entropy of a character, in bits."""
    counts = Counter(text)
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())


def _mixed(text: str) -> bool:
    """Whether there are digits among letters, as in no name and no word."""
    return bool(re.search(r"\d", text)) and bool(re.search(r"[A-Za-z]", text))
