import pytest
from mediaconduit.errors import InvalidRequestError, NotFoundError, PreconditionError
from mediaconduit_broker.manifest import Runtime
from mediaconduit_broker.manifest.read import parse_manifest
from mediaconduit_broker.migration import Finding, Kind, plan
from mediaconduit_broker.migration.facts import PROVIDER_NAMES

from .conftest import MANIFEST, PACKAGE, PROVIDER, Make


def about(findings: tuple[Finding, ...], word: str) -> list[tuple[Kind, str]]:
    return [(finding.kind, finding.detail) for finding in findings if finding.about == word]


def provider(*changes: tuple[str, str]) -> dict[str, str]:
    text = PROVIDER
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return {"src/provider.ts": text}


def test_one_that_is_all_right_runs_and_needs_its_key(make: Make) -> None:
    planned = plan(make())
    assert planned.runs
    assert [(f.about, f.detail) for f in planned.findings if f.kind is Kind.NEEDS] == [
        ("key", "VENDOR_API_KEY"),
        ("network", "api.vendor.example"),
    ]
    assert about(planned.findings, "entry") == [
        (Kind.RUNS, "VendorProvider of src/index.ts, TypeScript as it is: 2 files")
    ]


def test_its_manifest_says_all_that_is_known(make: Make) -> None:
    manifest = parse_manifest(plan(make()).manifest)
    assert (manifest.id, manifest.name, manifest.version) == ("vendor", "Vendor", "1.0.0")
    assert (manifest.runtime, manifest.entry) == (Runtime.NODE, "src/index.ts")
    assert manifest.capabilities == ("text-to-text",)
    assert (manifest.secrets, manifest.environment) == (("VENDOR_API_KEY",), ("VENDOR_BASE_URL",))
    assert manifest.network
    assert manifest.warnings == ()


@pytest.mark.parametrize(
    ("manifest", "capabilities", "tags"),
    [
        ("capabilities: [TextToText, speech-to-text]", ("text-to-text",), ("speech-to-text",)),
        (
            "models: [{id: a, capability: TEXT_TO_IMAGE}, {id: b, capabilities: [image-to-image]}]",
            ("text-to-image", "image-to-image"),
            (),
        ),
        ("models: {dynamic: true, capabilities: [text-to-text], parameters: {}}", ("text-to-text",), ()),
        ("name: Nothing", (), ()),
    ],
)
def test_capabilities_come_from_wherever_they_stand(
    manifest: str, capabilities: tuple[str, ...], tags: tuple[str, ...], make: Make
) -> None:
    made = parse_manifest(plan(make(manifest=f"id: vendor\n{manifest}\n")).manifest)
    assert (made.capabilities, made.tags) == (capabilities, tags)


def test_without_a_word_about_capabilities_the_code_says_them(make: Make) -> None:
    files = provider(("import axios", "import { TextToAudioModel } from '@mediaconduit/mediaconduit';\nimport axios"))
    made = parse_manifest(plan(make(manifest="id: vendor\n", files=files)).manifest)
    assert made.capabilities == ("text-to-audio",)


@pytest.mark.parametrize("name", PROVIDER_NAMES)
def test_manifests_are_found_by_every_name(name: str, make: Make) -> None:
    assert plan(make(name=name)).repository.manifest_file == name


@pytest.mark.parametrize(("manifest", "detail"), [("", "is empty"), (None, "it has none")])
def test_without_a_manifest_the_package_and_the_code_say_what_it_is(
    manifest: str | None, detail: str, make: Make
) -> None:
    planned = plan(make(manifest=manifest, package=PACKAGE | {"name": "@someone/vendor-provider", "version": "2.1.0"}))
    ((kind, told),) = about(planned.findings, "manifest")
    assert kind is Kind.FITTED
    assert detail in told
    made = parse_manifest(planned.manifest)
    assert (made.id, made.version) == ("vendor", "2.1.0")


@pytest.mark.parametrize(
    ("changes", "word", "kind", "detail"),
    [
        ([("src/media/types/provider", "src/api/server")], "imports", Kind.BREAKS, "src/api/server"),
        (
            [("from 'axios'", "from 'undici'")],
            "packages",
            Kind.BREAKS,
            "imports undici, which package.json does not list",
        ),
        ([("constructor()", "constructor(config: Config)")], "constructor", Kind.BREAKS, "it wants config"),
        ([("constructor()", "constructor(private service: DockerService)")], "service", Kind.NEEDS, "Docker service"),
        (
            [("class VendorProvider", "class VendorProvider extends AbstractDockerProvider")],
            "service",
            Kind.NEEDS,
            "Docker",
        ),
        (
            [("import axios", "import './gone';\nimport axios")],
            "imports",
            Kind.FITTED,
            "src/provider.ts imports ./gone",
        ),
        ([("async transform", "async *transformStream")], "streaming", Kind.RUNS, "transformStream"),
        ([("async transform(", "async transformConversation(")], "conversations", Kind.RUNS, "transformConversation"),
        ([("process.env.VENDOR_BASE_URL || ", "")], "network", Kind.NEEDS, "cannot be changed from outside"),
        ([("this.key = ", "if (!key.startsWith('v_')) throw 1; this.key = ")], "key", Kind.NEEDS, "begin with v_"),
    ],
)
def test_what_the_code_asks_for_is_judged(
    changes: list[tuple[str, str]], word: str, kind: Kind, detail: str, make: Make
) -> None:
    planned = plan(make(files=provider(*changes)))
    assert [told for found, told in about(planned.findings, word) if found is kind and detail in told]
    assert planned.runs == (kind is not Kind.BREAKS)


@pytest.mark.parametrize(
    ("manifest", "word", "detail"),
    [
        (MANIFEST.replace("src/index.ts", "dist/index.js"), "entry", "main is dist/index.js"),
        (MANIFEST + "exportName: Other\n", "entry", "exportName is Other"),
        (MANIFEST.replace("id: vendor", "id: Vendor_Provider"), "id", "Vendor_Provider becomes vendor-provider"),
        (MANIFEST.replace("[TEXT_TO_TEXT]", "[TEXT_TO_TEXT, chat-completion]"), "capabilities", "chat-completion"),
    ],
)
def test_what_the_manifest_has_wrong_is_made_to_fit(manifest: str, word: str, detail: str, make: Make) -> None:
    planned = plan(make(manifest=manifest))
    assert [told for kind, told in about(planned.findings, word) if kind is Kind.FITTED and detail in told]
    assert planned.runs


@pytest.mark.parametrize(
    ("package", "kind", "detail"),
    [
        ({"dependencies": {"axios": "file:../axios"}}, Kind.BREAKS, "axios is taken from file:../axios"),
        ({"dependencies": {"axios": "1"}, "scripts": {"postinstall": "x", "test": "y"}}, Kind.FITTED, "postinstall of"),
        (PACKAGE, Kind.FITTED, "@mediaconduit/mediaconduit set aside"),
    ],
)
def test_packages_are_judged(package: dict[str, object], kind: Kind, detail: str, make: Make) -> None:
    found = plan(make(package=package)).findings
    assert [finding for finding in found if finding.kind is kind and detail in finding.detail]


@pytest.mark.parametrize("stated", ["{axios: ^1.6.0}", "[{axios: ^1.6.0}]"])
def test_packages_that_only_the_manifest_names_are_taken_from_there(stated: str, make: Make) -> None:
    planned = plan(make(manifest=f"{MANIFEST}dependencies: {stated}\n", package={"name": "vendor"}))
    assert ("axios ^1.6.0: from the manifest, package.json lacks it") in [f.detail for f in planned.findings]


@pytest.mark.parametrize(
    ("text", "license"),
    [
        ("MIT License\n\nCopyright …", "MIT"),
        ("                                 Apache License\n                           Version 2.0", "Apache-2.0"),
    ],
)
def test_a_licence_is_known_by_how_it_begins(text: str, license: str, make: Make) -> None:
    folder = make(manifest="id: vendor\ncapabilities: [text-to-text]\n")
    (folder / "LICENSE.md").write_text(text)
    assert parse_manifest(plan(folder).manifest).license == license
    (folder / "LICENSE.md").write_text("All rights reserved.")
    assert about(plan(folder).findings, "license") == [(Kind.NEEDS, "in LICENSE.md alone")]


def test_a_service_is_no_provider(make: Make) -> None:
    folder = make(name="MediaConduit.service.yml", manifest="name: whisper\n", package=None)
    (folder / "docker-compose.yml").write_text("services: {}\n")
    planned = plan(folder)
    assert planned.manifest == ""
    ((kind, _),) = about(planned.findings, "service")
    assert kind is Kind.NEEDS
    assert "docker-compose.yml" in planned.findings[0].advice


def test_a_manifest_of_today_is_not_migrated(make: Make) -> None:
    with pytest.raises(InvalidRequestError, match="of today already"):
        plan(make(manifest="id: x\nruntime: node\n"))


def test_a_folder_of_nothing_is_not_found(make: Make) -> None:
    with pytest.raises(NotFoundError, match=r"neither a manifest nor a package\.json"):
        plan(make(manifest=None, package=None))


def test_a_manifest_that_is_not_yaml_is_named_with_its_line(make: Make) -> None:
    with pytest.raises(PreconditionError, match=r"yml:3 is not YAML"):
        plan(make(manifest="id: x\nname: [\n"))


def test_values_that_look_like_others_stay_texts(make: Make) -> None:
    manifest = 'id: vendor\nname: "yes"\nversion: "1.10"\ndescription: "a: b # c"\ncapabilities: [text-to-text]\n'
    made = parse_manifest(plan(make(manifest=manifest)).manifest)
    assert (made.name, made.version, made.description) == ("yes", "1.10", "a: b # c")
