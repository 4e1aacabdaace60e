"""What a Python repository needs is read from its files; what they may say is a closed list."""

from __future__ import annotations

from pathlib import Path

import pytest
from mediaconduit.errors import PreconditionError, Reason
from mediaconduit_broker.environments.python import plan_python
from mediaconduit_broker.environments.request import EnvironmentRequest, Permissions
from mediaconduit_broker.environments.requirements import Requirements
from mediaconduit_broker.environments.tools import Tools
from mediaconduit_broker.manifest.read import parse_manifest

PRIVATE = "https://pypi.acme.example/simple"
MANIFEST = "id: mine\nentry: mine:Mine\ndependencies: {six: '1.17.0'}\n"


async def read(folder: Path, *, groups: tuple[str, ...] = (), indexes: tuple[str, ...] = ()) -> Requirements:
    request = EnvironmentRequest(
        provider_id="mine",
        source="mine",
        folder=folder,
        manifest=parse_manifest(MANIFEST),
        groups=groups,
        permissions=Permissions(indexes=indexes),
    )
    return (await plan_python(request, Tools({}))).requirements


async def refused(folder: Path, **options: tuple[str, ...]) -> PreconditionError:
    with pytest.raises(PreconditionError) as caught:
        await read(folder, **options)
    assert caught.value.hint, "an error says what to do next"
    assert caught.value.metadata["step"] == "plan"
    assert str(folder) not in str(caught.value)
    return caught.value


def pyproject(folder: Path, project: str = 'dependencies = ["six"]', rest: str = "") -> None:
    (folder / "pyproject.toml").write_text(f'[project]\nname = "mine"\nversion = "1"\n{project}\n{rest}')


async def test_pyproject_comes_before_requirements_txt_and_the_manifest(tmp_path: Path) -> None:
    assert (await read(tmp_path)).lines == ("six==1.17.0",)
    (tmp_path / "requirements.txt").write_text("idna>=3\n")
    assert (await read(tmp_path)).lines == ("idna>=3",)
    pyproject(tmp_path, 'requires-python = ">=3.11"\ndependencies = ["six>=1,<2", "idna"]')
    found = await read(tmp_path)
    assert found.lines == ("idna", "six<2,>=1")
    assert found.python == ">=3.11"


async def test_a_pyproject_without_dependencies_leaves_them_to_the_next_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")
    assert (await read(tmp_path)).lines == ("six==1.17.0",)
    pyproject(tmp_path, 'dynamic = ["dependencies"]')
    (tmp_path / "requirements.txt").write_text("idna\n")
    assert (await read(tmp_path)).lines == ("idna",)


async def test_dependency_groups_include_each_other(tmp_path: Path) -> None:
    groups = '[dependency-groups]\ndev = ["idna", {include-group = "test"}]\ntest = ["iniconfig"]\n'
    pyproject(tmp_path, rest=groups)
    assert (await read(tmp_path, groups=("dev",))).lines == ("idna", "iniconfig", "six")
    assert (await read(tmp_path, groups=("docs",))).lines == ("six",)
    pyproject(tmp_path, rest='[dependency-groups]\ndev = [{include-group = "dev"}]\n')
    assert "includes itself" in (await refused(tmp_path, groups=("dev",))).message


async def test_requirements_txt_is_read_as_pip_reads_it(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "extra.txt").write_text("iniconfig\n")
    (tmp_path / "pins.txt").write_text("six==1.17.0\n")
    (tmp_path / "requirements.txt").write_text(
        "# what it needs\nsix>=1  # a comment\n\nidna==3.10 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
        "-r more/extra.txt\n-c pins.txt\n--prefer-binary\nuvloop; sys_platform == 'nowhere'\n"
    )
    found = await read(tmp_path)
    assert found.lines == (
        "idna==3.10 --hash=sha256:aa --hash=sha256:bb",
        "iniconfig",
        "six>=1",
        'uvloop; sys_platform == "nowhere"',
    )
    assert found.constraints == ("six==1.17.0",)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("-e .", "-e builds from source"),
        ("--pre", "--pre is not supported"),
        ("--trusted-host evil.example", "--trusted-host is not supported"),
        ("./wheels/x.whl", "is no requirement"),
        ("x @ git+https://github.com/o/x", "built from source"),
        ("-r ../outside.txt", "leads out of the repository"),
        ("-r /etc/passwd", "leads out of the repository"),
        ("-r nothing.txt", "there is no nothing.txt"),
        ("six ==", "is no requirement"),
    ],
)
async def test_what_requirements_txt_may_not_say(tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "requirements.txt").write_text(f"idna\n{line}\n")
    error = await refused(tmp_path)
    assert error.reason is Reason.BUILD_FAILED
    assert says in error.message


async def test_a_dependency_is_never_an_option_of_the_installer(tmp_path: Path) -> None:
    pyproject(tmp_path, f'dependencies = ["--index-url={PRIVATE}"]')
    assert "is no requirement" in (await refused(tmp_path)).message


INDEXES = {
    "an index of uv": ("pyproject.toml", f'[[tool.uv.index]]\nname = "a"\nurl = "{PRIVATE}"\n'),
    "index-url": ("pyproject.toml", f'[tool.uv]\nindex-url = "{PRIVATE}"\n'),
    "extra-index-url": ("pyproject.toml", f'[tool.uv]\nextra-index-url = ["{PRIVATE}"]\n'),
    "find-links": ("pyproject.toml", f'[tool.uv]\nfind-links = ["{PRIVATE}"]\n'),
    "an index of uv pip": ("pyproject.toml", f'[tool.uv.pip]\nindex-url = "{PRIVATE}"\n'),
    "a source of poetry": ("pyproject.toml", f'[[tool.poetry.source]]\nname = "a"\nurl = "{PRIVATE}"\n'),
    "a source of pdm": ("pyproject.toml", f'[[tool.pdm.source]]\nname = "a"\nurl = "{PRIVATE}"\n'),
    "an address of a package": ("pyproject.toml", f'[tool.uv.sources]\nsix = {{url = "{PRIVATE}/six.whl"}}\n'),
    "--index-url": ("requirements.txt", f"--index-url {PRIVATE}\nsix\n"),
    "--extra-index-url": ("requirements.txt", f"--extra-index-url={PRIVATE}\nsix\n"),
    "-f": ("requirements.txt", f"-f {PRIVATE}\nsix\n"),
    "a direct address": ("requirements.txt", f"six @ {PRIVATE}/six.whl\n"),
}


@pytest.mark.parametrize("kind", INDEXES)
async def test_an_index_of_its_own_is_refused_unless_it_is_allowed(tmp_path: Path, kind: str) -> None:
    name, text = INDEXES[kind]
    if name == "pyproject.toml":
        pyproject(tmp_path, rest=text)
    else:
        (tmp_path / name).write_text(text)
    error = await refused(tmp_path)
    assert error.reason is Reason.SOURCE_NOT_TRUSTED
    assert f'allow_indexes = ["{PRIVATE}' in error.hint
    assert await refused(tmp_path, indexes=("https://pypi.acme.example/sim",)), "not a beginning of the last part"
    found = await read(tmp_path, indexes=(PRIVATE + "/",))
    assert len(found.lines) == 1


async def test_credentials_of_an_index_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("--index-url https://joe:hunter2@pypi.acme.example/simple\nsix\n")
    error = await refused(tmp_path)
    assert "hunter2" not in error.message + error.hint


@pytest.mark.parametrize("source", ['git = "https://x.example/six"', 'path = "../six"', "workspace = true"])
async def test_a_package_from_elsewhere_is_not_taken_from_the_registry_instead(tmp_path: Path, source: str) -> None:
    pyproject(tmp_path, rest=f"[tool.uv.sources]\nsix = {{{source}}}\n")
    assert "built from source" in (await refused(tmp_path)).message


async def test_where_our_own_distributions_come_from_is_the_brokers_affair(tmp_path: Path) -> None:
    rest = '[tool.uv.sources]\nmediaconduit-provider = {path = "../wheels/x.whl"}\nmediaconduit = {path = "../y.whl"}\n'
    pyproject(tmp_path, 'dependencies = ["mediaconduit-provider @ https://evil.example/x.whl"]', rest)
    assert (await read(tmp_path)).lines == ("mediaconduit-provider",)


async def test_overrides_and_constraints_of_uv_count(tmp_path: Path) -> None:
    pyproject(tmp_path, rest='[tool.uv]\noverride-dependencies = ["idna==3.10"]\nconstraint-dependencies = ["six<2"]\n')
    found = await read(tmp_path)
    assert (found.overrides, found.constraints) == (("idna==3.10",), ("six<2",))


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements.txt", "uv.lock"])
async def test_a_link_out_of_the_repository_is_not_followed(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    if name == "uv.lock":
        pyproject(folder)
    (tmp_path / "secret").write_text("hunter2")
    (folder / name).symlink_to(tmp_path / "secret")
    error = await refused(folder)
    assert error.message == f"{name} leads out of the repository"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[project]\nname = "mine"\nversion = "1"\ndynamic = ["dependencies"]\n', "build backend"),
        ('[tool.poetry.dependencies]\nsix = "*"\n', "[tool.poetry]"),
        ('[project]\nname = "mine"\nversion = "1"\ndependencies = ["mine[all]"]\n', "requires itself"),
        ("[project\n", "not valid TOML"),
        (
            '[project]\nname = "mine"\nversion = "1"\nrequires-python = "three"\ndependencies = []\n',
            "version specifier",
        ),
    ],
)
async def test_a_pyproject_that_cannot_be_used_says_why(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert says in (await refused(tmp_path)).message
