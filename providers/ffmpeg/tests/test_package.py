"""What the folder says about itself."""

import re
from pathlib import Path

from ffmpeg_provider.filters import AUDIO_FILTERS, VIDEO_FILTERS
from ffmpeg_provider.models import MODELS
from mediaconduit_provider.testing import Served

FOLDER = Path(__file__).parent.parent
README = (FOLDER / "README.md").read_text()


def test_the_readme_lists_exactly_the_filters_that_are_allowed() -> None:
    listed = [set(block.split()) for block in re.findall(r"```text\n(.*?)```", README, re.DOTALL)]
    assert listed == [VIDEO_FILTERS, AUDIO_FILTERS]


def test_the_readme_names_every_model_and_option() -> None:
    for model in MODELS:
        assert f"| `{model.id}` | {model.capabilities[0]} |" in README
        for path in model.options:
            *_, last = path.split(".")
            assert f"`{path}`" in README or last in README, path


def test_the_manifest_has_the_capabilities_of_the_models() -> None:
    manifest = (FOLDER / "MediaConduit.provider.yml").read_text()
    listed = re.search(r"capabilities:\s*\[([^\]]*)\]", manifest)
    assert listed is not None
    assert {name.strip() for name in listed.group(1).split(",")} == {m.capabilities[0] for m in MODELS}


async def test_every_model_is_described_with_its_options(served: Served) -> None:
    listed = {model.name.rpartition("/")[2] for model in await served.client.models()}
    assert listed == {model.id for model in MODELS}
    described = await served.model("edit").describe()
    assert '"fade_out"' in described.options_schema
    assert [spec.name for spec in described.inputs] == ["", "overlay"]
