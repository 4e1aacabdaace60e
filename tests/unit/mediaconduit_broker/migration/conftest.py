"""Repositories in the style of the original's."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

Make = Callable[..., Path]

ENTRY = "export { VendorProvider as default } from './provider';\n"
PROVIDER = """\
import { MediaCapability, type MediaProvider } from '@mediaconduit/mediaconduit/src/media/types/provider';
import { Text } from '@mediaconduit/mediaconduit/src/media/assets/roles';
import axios from 'axios';

export class VendorProvider implements MediaProvider {
  constructor() {
    this.key = process.env.VENDOR_API_KEY;
    this.url = process.env.VENDOR_BASE_URL || 'https://api.vendor.example/v1';
  }
  async transform(input: Text): Promise<Text> { return input; }
}
"""
MANIFEST = """\
id: vendor
name: Vendor
version: "1.0.0"
type: remote
capabilities: [TEXT_TO_TEXT]
main: src/index.ts
license: MIT
"""
PACKAGE = {"name": "vendor-provider", "dependencies": {"@mediaconduit/mediaconduit": "^1", "axios": "^1.6.0"}}


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes one that runs: `make(manifest=…, package=…, files={"src/provider.ts": …})` changes it; None leaves out."""

    def made(
        *,
        manifest: str | None = MANIFEST,
        name: str = "MediaConduit.provider.yml",
        package: Mapping[str, Any] | None = PACKAGE,
        files: Mapping[str, str] | None = None,
    ) -> Path:
        folder = tmp_path / "vendor-provider"
        texts = {"src/index.ts": ENTRY, "src/provider.ts": PROVIDER} | dict(files or {})
        if manifest is not None:
            texts[name] = manifest
        if package is not None:
            texts["package.json"] = json.dumps(package)
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        return folder

    return made
