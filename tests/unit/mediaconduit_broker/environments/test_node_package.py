"""What a repository's package.json may ask for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mediaconduit.errors import PreconditionError, Reason
from mediaconduit_broker.environments import EnvironmentRequest, Permissions
from mediaconduit_broker.environments.node_package import NodePackage, read_package
from mediaconduit_broker.manifest import Manifest, Runtime

MANIFEST = Manifest(id="cow", name="Cow", version="1", runtime=Runtime.NODE, entry="")


def read(
    folder: Path,
    package: object = None,
    lock: object = None,
    *,
    manifest: str = "",
    groups: tuple[str, ...] = (),
    indexes: tuple[str, ...] = (),
) -> NodePackage:
    for name, content in (("package.json", package), ("package-lock.json", lock)):
        if content is not None:
            (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    if manifest:
        (folder / "MediaConduit.provider.yml").write_text(manifest)
    request = EnvironmentRequest(
        provider_id="cow",
        source="file:cow",
        folder=folder,
        manifest=MANIFEST,
        groups=groups,
        permissions=Permissions(indexes=indexes),
    )
    return read_package(request)


def locked(resolved: str = "https://registry.npmjs.org/ms/-/ms-2.1.3.tgz", name: str = "ms") -> dict[str, object]:
    packages = {
        "": {"name": "x", "dependencies": {name: "^2.0.0", "@mediaconduit/provider": "^0.1.0"}},
        f"node_modules/{name}": {"version": "2.1.3", "resolved": resolved},
        "node_modules/@mediaconduit/provider": {"version": "0.1.0", "resolved": "https://elsewhere/x.tgz"},
    }
    return {"lockfileVersion": 3, "packages": packages}


def test_without_package_json_nothing_is_installed(tmp_path: Path) -> None:
    assert read(tmp_path).dependencies == ()


def test_our_own_packages_are_left_out(tmp_path: Path) -> None:
    package = {"dependencies": {"ms": "^2.0.0", "@mediaconduit/provider": "*"}, "scripts": {"postinstall": "evil"}}
    found = read(tmp_path, package)
    assert found.dependencies == ("ms ^2.0.0",)
    assert "scripts" not in found.manifest


def test_development_dependencies_are_for_development(tmp_path: Path) -> None:
    package = {"dependencies": {"ms": "2.1.3"}, "devDependencies": {"tsx": "^4"}}
    assert read(tmp_path, package).dependencies == ("ms 2.1.3",)
    assert read(tmp_path, package, groups=("dev",)).dependencies == ("ms 2.1.3", "tsx ^4")


@pytest.mark.parametrize(
    "spec", ["", "*", "latest", "^1.2.3-rc.1", ">=1 <2 || 3.x", "npm:other@^1", "npm:@a/b@1", "1 - 2"]
)
def test_ranges_and_aliases_of_the_registry_pass(tmp_path: Path, spec: str) -> None:
    assert read(tmp_path, {"dependencies": {"ms": spec}}).dependencies == (f"ms {spec}".strip(),)


@pytest.mark.parametrize(
    "spec",
    [
        "git+https://example.org/ms.git", "git@example.org:o/ms", "github:o/ms", "o/ms", "file:../ms", "link:../ms",
        "workspace:*", "../ms", "/srv/ms", "http://example.org/ms.tgz",
    ],
)  # fmt: skip
def test_code_that_nobody_published_is_refused(tmp_path: Path, spec: str) -> None:
    with pytest.raises(PreconditionError) as caught:
        read(tmp_path, {"dependencies": {"ms": spec}})
    assert caught.value.reason is Reason.BUILD_FAILED
    assert "ms" in str(caught.value)


def test_an_archive_is_taken_from_an_allowed_place_alone(tmp_path: Path) -> None:
    package = {"dependencies": {"ms": "https://packages.example.org/ms.tgz"}}
    with pytest.raises(PreconditionError) as caught:
        read(tmp_path, package)
    assert caught.value.reason is Reason.SOURCE_NOT_TRUSTED
    assert "allow_indexes" in caught.value.hint
    assert read(tmp_path, package, indexes=("https://packages.example.org",)).dependencies


def test_a_lock_is_kept_without_our_packages(tmp_path: Path) -> None:
    found = read(tmp_path, {"dependencies": {"ms": "^2.0.0"}}, locked())
    assert found.lock is not None
    assert set(found.lock["packages"]) == {"", "node_modules/ms"}
    assert found.lock["packages"][""]["dependencies"] == {"ms": "^2.0.0"}


@pytest.mark.parametrize("place", ["https://evil.example/ms.tgz", "http://localhost:4873/ms.tgz", "git+ssh://x/y"])
def test_a_lock_that_leads_elsewhere_is_refused(tmp_path: Path, place: str) -> None:
    with pytest.raises(PreconditionError) as caught:
        read(tmp_path, {"dependencies": {"ms": "^2.0.0"}}, locked(place))
    assert caught.value.reason is Reason.SOURCE_NOT_TRUSTED


def test_a_lock_made_with_the_original_is_set_aside(tmp_path: Path) -> None:
    lock = locked("http://localhost:4873/x.tgz", "@mediaconduit/mediaconduit")
    found = read(tmp_path, {"dependencies": {"@mediaconduit/mediaconduit": "^1.0.0"}}, lock)
    assert found.original
    assert found.lock is None
    assert found.dependencies == ()


def test_packages_that_only_a_manifest_names_are_added(tmp_path: Path) -> None:
    manifest = "id: cow\ndependencies:\n  - axios: ^1.6.0\n  - node: '>=18'\n  - ms: 1.0.0\n"
    found = read(tmp_path, {"dependencies": {"ms": "^2.0.0"}}, manifest=manifest)
    assert found.dependencies == ("axios ^1.6.0", "ms ^2.0.0")


@pytest.mark.parametrize("text", ["{", "[]", '"x"'])
def test_what_is_no_package_json_is_said(tmp_path: Path, text: str) -> None:
    with pytest.raises(PreconditionError) as caught:
        read(tmp_path, text)
    assert "package.json" in str(caught.value)
