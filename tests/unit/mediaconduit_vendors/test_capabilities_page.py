"""docs/capabilities.md is what scripts/capabilities makes of providers/; docs/features.md knows every word of it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from mediaconduit_vendors.prices import FEATURES

ROOT = Path(__file__).parents[3]


def test_the_page_is_what_the_folders_say() -> None:
    made = subprocess.run(
        [sys.executable, ROOT / "scripts/capabilities", "--print"], capture_output=True, text=True, check=True
    ).stdout
    assert (ROOT / "docs/capabilities.md").read_text() == made, "bring it up to date: scripts/capabilities"


def test_every_feature_is_explained() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|", (ROOT / "docs/features.md").read_text(), re.M)
    used = {
        feature
        for row in re.findall(
            r"^\| `[a-z0-9-]+-to-[a-z0-9]+` \|(.*)\|$", (ROOT / "docs/capabilities.md").read_text(), re.M
        )
        for feature in re.findall(r"(?<!\[)`([a-z-]+)`", row)
    }
    assert {"streaming", "tools"} <= used
    assert used | FEATURES <= set(rows)
    assert len(rows) == len(set(rows))
