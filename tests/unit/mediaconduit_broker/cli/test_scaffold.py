import pytest
from mediaconduit.errors import InvalidRequestError
from mediaconduit_broker import scaffold
from mediaconduit_broker.environments.python import plan_python
from mediaconduit_broker.environments.request import EnvironmentRequest
from mediaconduit_broker.environments.tools import Tools
from mediaconduit_broker.manifest import read_manifest


@pytest.mark.parametrize(
    ("name", "provider_id", "entry"),
    [
        ("shout", "shout", "shout_provider:Shout"),
        ("My-Provider_2", "my-provider-2", "my_provider_2_provider:MyProvider2"),
        ("provider", "provider", "provider_provider:ProviderProvider"),
        ("model", "model", "model_provider:ModelProvider"),
        ("none", "none", "none_provider:NoneProvider"),
    ],
)
def test_names_become_ids_packages_and_classes(name, provider_id, entry, tmp_path):
    made = scaffold.create(name, tmp_path, "python")
    manifest = read_manifest(made.folder)
    assert (manifest.id, manifest.entry, manifest.warnings) == (provider_id, entry, ())
    module, class_name = entry.split(":")
    code = (made.folder / module / "__init__.py").read_text()
    assert f"class {class_name}(Provider):" in code
    compile(code, "provider", "exec")


async def test_what_it_needs_can_be_planned(tmp_path):
    made = scaffold.create("shout", tmp_path, "python")
    manifest = read_manifest(made.folder)
    request = EnvironmentRequest(
        provider_id="shout", source="shout", folder=made.folder, manifest=manifest, groups=("dev",)
    )
    plan = await plan_python(request, Tools({}))
    assert {"mediaconduit-provider", "pytest>=9", "pytest-asyncio>=1.5"} == set(plan.parts["requirements"])


@pytest.mark.parametrize("language", scaffold.LANGUAGES)
def test_every_language_makes_a_repository_that_could_be_published(language, tmp_path):
    made = scaffold.create("My-Shout", tmp_path, language)
    manifest = read_manifest(made.folder)
    assert (manifest.id, manifest.name, manifest.warnings) == ("my-shout", "My Shout", ())
    assert "text-to-text" in manifest.capabilities
    names = {path.name for path in made.files}
    assert {"README.md", "LICENSE"} & names
    assert "apache" in (made.folder / "README.md").read_text().lower()


def test_a_language_is_one_of_those_with_templates():
    assert scaffold.LANGUAGES[0] == "python"
    assert set(scaffold.LANGUAGES) <= {"python", "node", "go", "rust"}


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(InvalidRequestError, match="there already"):
        scaffold.create("mine", tmp_path, "python")
    assert list((tmp_path / "mine").iterdir()) == []


@pytest.mark.parametrize("name", ["", "..", "a/b", "../x", "日本", "9lives", "-", "x" * 80])
def test_a_name_that_makes_no_id_is_refused(name, tmp_path):
    with pytest.raises(InvalidRequestError, match="no name for a provider"):
        scaffold.create(name, tmp_path, "python")
    assert list(tmp_path.iterdir()) == []


def test_no_placeholder_is_left(tmp_path):
    made = scaffold.create("shout", tmp_path, "python")
    left = [path.name for path in made.files if "$provider_id" in path.read_text() or "${" in path.read_text()]
    assert left == []
    assert "$ mediaconduit provider add ." in (made.folder / "README.md").read_text()
