import pytest
from mediaconduit_broker.migration.scan import Code, package_of, scan, without_comments
from mediaconduit_broker.migration.surface import PACKAGE, deep_path, is_known


def one(text: str, **others: str) -> Code:
    return scan({"src/index.ts": text} | {f"src/{name}.ts": code for name, code in others.items()}, "src/index.ts")


@pytest.mark.parametrize(
    ("text", "imports"),
    [
        ("import axios from 'axios';", {"axios": {"axios"}}),
        ('import { A, type B, C as D } from "x/y";', {"x/y": {"A", "B", "C"}}),
        ("import type { A } from 'x';", {"x": {"A"}}),
        ("import X, {\n  A,\n  B,\n} from 'x'", {"x": {"X", "A", "B"}}),
        ("import 'x';", {"x": set()}),
        ("const x = require('x'), y = await import(\"y\");", {"x": set(), "y": set()}),
        ("export * from 'x';", {"x": set()}),
        ("export { A } from 'x';", {"x": {"A"}}),
        ("// import a from 'a'\n/* import b from 'b' */ const u = 'https://c'; import c from 'c'", {"c": {"c"}}),
    ],
)
def test_imports_are_found_with_their_names(text: str, imports: dict[str, set[str]]) -> None:
    assert {path: set(names) for path, names in one(text).imports} == imports


def test_only_what_the_entry_reaches_is_read() -> None:
    code = one("import './a'", a="import { x } from './b.js'; process.env.A", b="process.env.B", c="process.env.C")
    assert code.variables == ("A", "B")
    assert code.files == ("src/a.ts", "src/b.ts", "src/index.ts")


def test_a_circle_of_imports_ends() -> None:
    assert len(one("import './a'", a="import './index'").files) == 2


def test_folders_and_json_are_followed() -> None:
    files = {"src/index.ts": "import './media'; import d from '../package.json'", "src/media/index.ts": "process.env.A"}
    code = scan(files | {"package.json": "{}"}, "src/index.ts")
    assert (code.variables, code.missing) == (("A",), ())


def test_files_that_are_not_there_are_named_with_who_wants_them() -> None:
    assert one("export * from './types'; import './a'", a="import '../b'").missing == (
        "src/a.ts imports ../b",
        "src/index.ts imports ./types",
    )


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("process.env.A_KEY || process.env['B'] || process.env[\"C\"]", ("A_KEY", "B", "C")),
        ("const { A, B: renamed, C = 'x' } = process.env;", ("A", "B", "C")),
        ("process.environment.A; process.env[name]", ()),
    ],
)
def test_variables_are_found_however_they_are_read(text: str, variables: tuple[str, ...]) -> None:
    assert one(text).variables == variables


def test_hosts_are_those_of_others() -> None:
    code = one("fetch('https://openrouter.ai/api/v1'); fetch(`http://localhost:${port}`); fetch('http://127.0.0.1:80')")
    assert code.hosts == ("openrouter.ai",)


@pytest.mark.parametrize(
    ("text", "name", "base", "constructor"),
    [
        (
            "export default class A extends B implements C { constructor(private service: S) {} }",
            "A",
            "B",
            ("service",),
        ),
        ("export class AProvider { constructor(a?: X, b = 1) {} }", "AProvider", "", ()),
        ("class Helper {} class A<T> extends X.Y {}\nexport default A;", "A", "X.Y", ()),
        ("export class Model { constructor(m: M) {} } export class AProvider {}", "AProvider", "", ()),
        ("export const x = 1;", "", "", ()),
    ],
)
def test_the_providers_class_is_found(text: str, name: str, base: str, constructor: tuple[str, ...]) -> None:
    code = one(text)
    assert (code.class_name, code.base, code.constructor) == (name, base, constructor)


def test_a_class_that_another_file_exports_is_found() -> None:
    code = one("export { XProvider as default } from './x';", x="export class XProvider extends Base {}")
    assert (code.class_name, code.base, code.has_default) == ("XProvider", "Base", True)


def test_methods_are_told_from_statements() -> None:
    code = one("class A {\n  async transform(x: T): Promise<U> {\n    if (x) {\n    }\n  }\n  *go() {\n  }\n}")
    assert code.methods == {"transform", "go"}


def test_what_keys_begin_with_is_found() -> None:
    assert one("if (!apiKey?.startsWith('r8_')) throw 1; name.startsWith('x')").key_prefixes == ("r8_",)


@pytest.mark.parametrize(
    ("path", "package"),
    [
        ("axios", "axios"),
        ("axios/lib/x", "axios"),
        ("@a/b/c", "@a/b"),
        ("node:fs", ""),
        ("fs/promises", ""),
        ("url", ""),
    ],
)
def test_imports_belong_to_packages(path: str, package: str) -> None:
    assert package_of(path) == package


@pytest.mark.parametrize(
    ("path", "inside", "known"),
    [
        (PACKAGE, "", True),
        (f"{PACKAGE}/src/media/assets/roles", "src/media/assets/roles", True),
        (f"{PACKAGE}/src/media/assets/roles/index.js", "src/media/assets/roles", True),
        (f"{PACKAGE}/dist/media/types/provider", "src/media/types/provider", True),
        (f"{PACKAGE}/src/media/models/abstracts/TextTo3dModel", "src/media/models/abstracts/TextTo3dModel", True),
        (f"{PACKAGE}/src/api/server.ts", "src/api/server", False),
    ],
)
def test_deep_paths_are_known_or_not(path: str, inside: str, known: bool) -> None:
    assert (deep_path(path), is_known(path)) == (inside, known)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a('https://x') // b\n//c\n", "a('https://x') \n\n"),
        ("{ accept: '*/*' }; a() /* b */", "{ accept: '*/*' }; a() "),
        ("`https://${host}/*` /** b\n * c */;", "`https://${host}/*` ;"),
        ("it = 'don\\'t // stop'; // b", "it = 'don\\'t // stop'; "),
        ("a = \"'\"; // b's", 'a = "\'"; '),
    ],
)
def test_comments_go_and_texts_stay(text: str, left: str) -> None:
    assert without_comments(text) == left


def test_an_entry_that_is_not_there_gives_nothing() -> None:
    assert scan({}, "src/index.ts") == Code()
