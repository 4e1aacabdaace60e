"""What TypeScript asks for: imports, variables, hosts. Read as text; pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_TEXT_OR_COMMENT: Final = re.compile(
    r"""('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|/\*.*?\*/|//[^\n]*""", re.S
)
"""What stands in quotes may look like a comment: '*/*', a URL."""
_FROM: Final = re.compile(r"""\b(?:import|export)\b(?P<names>[^'"`;()]*?)\bfrom\s*['"](?P<path>[^'"]+)['"]""")
_BARE: Final = re.compile(r"""\b(?:import\s*\(?|require\s*\()\s*['"](?P<path>[^'"]+)['"]""")
_NAME: Final = re.compile(r"(?:type\s+)?([A-Za-z_$][\w$]*)")
_VARIABLE: Final = re.compile(r"""process\.env(?:\.([A-Za-z_]\w*)|\[\s*['"]([A-Za-z_]\w*)['"]\s*\])""")
_DESTRUCTURED: Final = re.compile(r"\{([^{}]*)\}\s*=\s*process\.env\b(?!\.)")
_HOST: Final = re.compile(r"""['"`]https?://([\w.-]+)""")
_PREFIX: Final = re.compile(r"""(?:[kK]ey|[tT]oken)\w*\??\.startsWith\(\s*['"]([\w-]+)['"]""")
_CLASS: Final = re.compile(r"\bclass\s+(?P<name>[\w$]+)(?:\s*<[^{]*?>)?(?:\s+extends\s+(?P<base>[\w$.]+))?")
_CONSTRUCTOR: Final = re.compile(r"\bconstructor\s*\((?P<parameters>[^)]*)\)")
_OPTIONAL: Final = re.compile(r"\?\s*:|=|\?$")
_METHOD: Final = re.compile(
    r"^[ \t]*(?:public\s+|protected\s+|private\s+)?(?:async\s+)?\*?\s*([A-Za-z_]\w*)\s*\([^;{]*\)\s*(?::[^={;]+)?\{",
    re.M,
)
_DEFAULT: Final = re.compile(
    r"\bexport\s+default\s+(?:class\s+)?(?P<name>[\w$]+)|\bexport\s*\{[^}]*?(?:(?P<renamed>[\w$]+)\s+as\s+)?default\b"
)
_ENDINGS: Final = ("", ".ts", ".tsx", ".mts", ".js", ".mjs", ".json", "/index.ts", "/index.js")
_LOCAL_HOSTS: Final = ("localhost", "127.0.0.1", "0.0.0.0")  # noqa: S104 - looked for, not listened on
_NO_METHODS: Final = frozenset({"if", "for", "while", "switch", "catch", "function", "return", "constructor"})

Files = Mapping[str, str]
"""Text of files by their path in the repository, with ``/``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What the code that is reached from an entry asks for."""

    files: tuple[str, ...] = ()
    """Those reached."""
    imports: tuple[tuple[str, frozenset[str]], ...] = ()
    """Imports that are not relative: path and names."""
    missing: tuple[str, ...] = ()
    """Relative imports of files that are not there: "src/index.ts imports ./types"."""
    variables: tuple[str, ...] = ()
    """Names read from the environment."""
    hosts: tuple[str, ...] = ()
    """Hosts of URLs that stand in the code, without those of this machine."""
    key_prefixes: tuple[str, ...] = ()
    """What keys are demanded to begin with."""
    class_name: str = ""
    base: str = ""
    """What the provider's class extends."""
    constructor: tuple[str, ...] = ()
    """Names of its parameters that must be given."""
    optional: tuple[str, ...] = ()
    """Names of its other parameters."""
    methods: frozenset[str] = frozenset()
    """Of every class reached."""
    has_default: bool = False
    """Whether the entry has a default export."""

    @property
    def packages(self) -> frozenset[str]:
        """npm packages it imports, without Node's own modules."""
        return frozenset(name for path, _ in self.imports if (name := package_of(path)))


def package_of(path: str) -> str:
    """The npm package of an import; empty for a module of Node's own."""
    if path.startswith("node:") or path.partition("/")[0] in NODE_MODULES:
        return ""
    return "/".join(path.split("/")[: 2 if path.startswith("@") else 1])


NODE_MODULES: Final = frozenset(
    """assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns domain
    events fs http http2 https inspector module net os path perf_hooks process punycode querystring readline repl
    stream string_decoder sys timers tls trace_events tty url util v8 vm wasi worker_threads zlib""".split()
)


def scan(files: Files, entry: str) -> Code:
    """Follows relative imports from the entry and notes what it meets."""
    if entry not in files:
        return Code()
    reached: dict[str, str] = {}
    imports: dict[str, set[str]] = {}
    missing: list[str] = []
    waiting = [entry]
    while waiting:
        path = waiting.pop()
        if path in reached:
            continue
        text = reached[path] = without_comments(files[path])
        for target, names in _imports(text):
            if not target.startswith("."):
                imports.setdefault(target, set()).update(names)
            elif (found := _resolve(files, path, target)) is None:
                missing.append(f"{path} imports {target}")
            elif not found.endswith(".json"):
                waiting.append(found)
    name, where = _provider_class(reached, entry)
    needed, optional = _parameters(reached.get(where, ""), name)
    return Code(
        files=tuple(sorted(reached)),
        imports=tuple((path, frozenset(names)) for path, names in sorted(imports.items())),
        missing=tuple(sorted(missing)),
        variables=_found(reached, _variables),
        hosts=tuple(host for host in _found(reached, _HOST.findall) if host not in _LOCAL_HOSTS),
        key_prefixes=_found(reached, _PREFIX.findall),
        class_name=name,
        base=_base(reached.get(where, ""), name),
        constructor=needed,
        optional=optional,
        methods=frozenset(_found(reached, _METHOD.findall)) - _NO_METHODS,
        has_default=_DEFAULT.search(reached[entry]) is not None,
    )


def without_comments(text: str) -> str:
    """The code without its comments."""
    return _TEXT_OR_COMMENT.sub(lambda match: match[1] or "", text)


def _imports(text: str) -> list[tuple[str, set[str]]]:
    found = [(match["path"], _names(match["names"])) for match in _FROM.finditer(text)]
    return found + [(match["path"], set()) for match in _BARE.finditer(text)]


def _names(text: str) -> set[str]:
    """ "X, { A, type B as C }" → X, A, B."""
    inner = text.replace("{", ",").replace("}", ",")
    entries = (entry.strip() for entry in inner.split(","))
    return {match[1] for entry in entries if (match := _NAME.match(entry)) and match[1] != "type"}


def _resolve(files: Files, importer: str, target: str) -> str | None:
    path = posixpath.normpath(posixpath.join(posixpath.dirname(importer), target))
    stem = re.sub(r"\.[mc]?js$", "", path)  # TypeScript names the file that is going to be made
    return next((base + ending for base in (path, stem) for ending in _ENDINGS if base + ending in files), None)


def _variables(text: str) -> list[str]:
    found = [first or second for first, second in _VARIABLE.findall(text)]
    for inner in _DESTRUCTURED.findall(text):
        found += _names(inner)
    return found


def _found(reached: Mapping[str, str], look: object) -> tuple[str, ...]:
    assert callable(look)
    return tuple(sorted({found for text in reached.values() for found in look(text)}))


def _provider_class(reached: Mapping[str, str], entry: str) -> tuple[str, str]:
    """The class that is exported by default, else the one that is called a provider; and its file."""
    classes = {match["name"]: path for path, text in reached.items() for match in _CLASS.finditer(text)}
    names = [match["name"] or match["renamed"] or "" for match in _DEFAULT.finditer(reached[entry])]
    names += [name for name in classes if name.endswith("Provider")]
    return next(((name, classes[name]) for name in names if name in classes), ("", ""))


def _base(text: str, name: str) -> str:
    return next((match["base"] or "" for match in _CLASS.finditer(text) if match["name"] == name), "")


def _parameters(text: str, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the parameters of a class's constructor: those that must be given, and the others."""
    at = next((match.end() for match in _CLASS.finditer(text) if match["name"] == name), None)
    match = _CONSTRUCTOR.search(text, at) if at is not None else None
    entries = [entry.strip() for entry in match["parameters"].split(",") if entry.strip()] if match else []
    needed = [entry for entry in entries if not _OPTIONAL.search(entry)]
    others = [entry for entry in entries if _OPTIONAL.search(entry)]
    return tuple(map(_bare, needed)), tuple(map(_bare, others))


def _bare(parameter: str) -> str:
    """ "private readonly service?: Service" → "service"."""
    plain = re.sub(r"^(?:(?:public|private|protected|readonly)\s+)*", "", parameter)
    return re.split(r"[?:=\s]", plain, maxsplit=1)[0]
