from pathlib import Path

import pytest
from mediaconduit.errors import NotFoundError, PreconditionError, Reason
from mediaconduit_broker.manifest import Runtime, read_manifest
from mediaconduit_broker.manifest.read import parse_manifest

GOOD = """\
id: cowsay
name: Cowsay
version: 0.1.0
runtime: python
entry: cowsay_provider:Cowsay
capabilities: [text-to-text]
start_timeout: 5
"""


def test_a_manifest_is_read() -> None:
    manifest = parse_manifest(GOOD)

    assert (manifest.id, manifest.runtime, manifest.entry) == ("cowsay", Runtime.PYTHON, "cowsay_provider:Cowsay")
    assert manifest.capabilities == ("text-to-text",)
    assert manifest.start_timeout == 5
    assert manifest.warnings == ()


def test_every_mistake_is_listed_with_its_line() -> None:
    text = "name: 7\nruntime: cobol\nentry: no class\nstart_timeout: -1\nsecrets:\n  - GOOD_KEY\n  - bad key\n"

    with pytest.raises(PreconditionError) as caught:
        parse_manifest(text)

    assert caught.value.reason is Reason.MANIFEST_INVALID
    assert [field.field for field in caught.value.fields] == [
        f"MediaConduit.provider.yml:{line}" for line in (1, 1, 2, 3, 4, 7)
    ]
    assert '"id" is a required property' in caught.value.fields[1].description + caught.value.fields[0].description
    assert caught.value.message == "MediaConduit.provider.yml has 6 mistakes"


@pytest.mark.parametrize(("text", "line"), [("id: a\nname: [1\n", 3), ("", 1), ("- a list\n", 1), ("id: x\n\tb: 1", 2)])
def test_what_is_no_mapping_names_a_line(text: str, line: int) -> None:
    with pytest.raises(PreconditionError) as caught:
        parse_manifest(text)
    assert caught.value.fields[0].field == f"MediaConduit.provider.yml:{line}"


def test_unknown_keys_are_warned_about_with_the_nearest() -> None:
    manifest = parse_manifest(GOOD + "capabilites: [a]\n")
    assert manifest.warnings == (
        "MediaConduit.provider.yml:8: unknown key `capabilites` is ignored; did you mean `capabilities`?",
    )


@pytest.mark.parametrize(
    ("dependencies", "expected"),
    [
        ("{axios: ^1.0, uuid: }", ("axios==^1.0", "uuid")),
        ("[{requests: '>=2'}, {rich: 13}]", ("requests>=2", "rich==13")),
        ("[requests>=2]", ("requests>=2",)),
    ],
)
def test_dependencies_come_in_three_shapes(dependencies: str, expected: tuple[str, ...]) -> None:
    assert parse_manifest(GOOD + f"dependencies: {dependencies}\n").dependencies == expected


def test_capabilities_in_every_spelling() -> None:
    text = GOOD.replace("[text-to-text]", "[TEXT_TO_TEXT, TextToAudio, voice-cloning]")
    manifest = parse_manifest(text)
    assert manifest.capabilities == ("text-to-text", "text-to-audio")
    assert manifest.tags == ("voice-cloning",)


def test_an_id_is_made_fit_and_that_is_said() -> None:
    manifest = parse_manifest(GOOD.replace("id: cowsay", "id: Cow_Say.io"))
    assert manifest.id == "cow-say-io"
    assert manifest.warnings == ("id `Cow_Say.io` is used as `cow-say-io`",)


def test_a_folder_without_a_manifest_is_no_provider(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        read_manifest(tmp_path)
    assert caught.value.reason is Reason.SOURCE_NOT_FOUND
    assert str(tmp_path.parent) not in str(caught.value)


def test_how_it_is_to_be_tried_is_read_whole() -> None:
    manifest = parse_manifest(
        GOOD
        + """
models: [default, {id: large, name: Large}, {name: nameless}]
conformance:
  upstream: python tests/upstream.py
  settings: {base_url: "{upstream}/v1"}
  secrets: {KEY: opens-nothing}
  samples:
    image-to-text: {file: page.png, media_type: image/png, options: {seed: 1}}
"""
    )
    assert manifest.models == ("default", "large")
    assert manifest.conformance.upstream == ("python", "tests/upstream.py")
    assert manifest.conformance.settings == {"base_url": "{upstream}/v1"}
    assert manifest.conformance.secrets == {"KEY": "opens-nothing"}
    assert manifest.conformance.samples["image-to-text"].file == "page.png"


def test_a_sample_of_nothing_is_a_mistake() -> None:
    with pytest.raises(PreconditionError) as caught:
        parse_manifest(GOOD + "\nconformance: {samples: {image-to-text: {file: page.png}}}\n")
    assert "conformance.samples.image-to-text" in caught.value.fields[0].description


def original(folder: Path, manifest: str | None = "", name: str = "MediaConduit.provider.yml") -> Path:
    """A repository written for the original system."""
    (folder / "package.json").write_text(
        '{"name": "@x/cow-provider", "dependencies": {"@mediaconduit/mediaconduit": "1"}}'
    )
    (folder / "src").mkdir()
    code = (
        "const key = process.env.COW_API_KEY, url = process.env['COW_BASE_URL'];\nexport default class CowProvider {}\n"
    )
    (folder / "src/index.ts").write_text(code)
    if manifest is not None:
        (folder / name).write_text(manifest)
    return folder


@pytest.mark.parametrize(
    "manifest",
    [
        None,
        "",
        "id: cow\n",
        "name: Cow\ncapability: TEXT_TO_TEXT\nmodels: {dynamic: true, capabilities: [text-to-text]}\n",
        "id: cow\nmain: dist/index.js\nexportName: Cow\ncapabilities: [TextToText]\nversion: 1\n",
        "id: cow\ndependencies:\n  - axios: ^1.6.0\nrequirements: {cpu: '4 cores'}\ndocker: {ports: [0]}\n",
    ],
)
def test_a_repository_of_the_original_is_taken_over_as_it_is(tmp_path: Path, manifest: str | None) -> None:
    found = read_manifest(original(tmp_path, manifest))

    assert (found.id, found.runtime, found.entry) == ("cow", Runtime.NODE, "src/index.ts")
    assert found.secrets == ("COW_API_KEY",)
    assert found.environment == ("COW_BASE_URL",)
    assert "original" in found.warnings[0]


def test_a_manifest_that_names_a_runtime_is_taken_at_its_word(tmp_path: Path) -> None:
    found = read_manifest(original(tmp_path, "id: mine\nruntime: node\n"))

    assert (found.id, found.secrets, found.warnings) == ("mine", (), ())


def test_a_folder_with_any_package_json_is_no_provider(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text("{}")

    with pytest.raises(NotFoundError):
        read_manifest(tmp_path)


def test_a_docker_service_of_the_original_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="Docker service"):
        read_manifest(original(tmp_path, "name: cow\n", name="prizm.service.yml"))


@pytest.mark.parametrize("entry", ["src/index.ts", "src/index.ts:Cow", "./lib/cow.mjs:$cow", "index.js"])
def test_the_entry_of_a_node_provider_is_a_file(entry: str) -> None:
    assert parse_manifest(f"id: cow\nruntime: node\nentry: {entry}\n").entry == entry


@pytest.mark.parametrize("entry", ["src/index.ts", "module", "module:"])
def test_the_entry_of_a_python_provider_is_a_class(entry: str) -> None:
    with pytest.raises(PreconditionError):
        parse_manifest(f"id: cow\nruntime: python\nentry: {entry!r}\n")
