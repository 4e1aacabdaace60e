"""Every way to write a source, and what is none."""

import pytest
from mediaconduit.errors import InvalidRequestError
from mediaconduit_broker.sources import CatalogSource, FolderSource, GitSource, NpmSource, PypiSource, Source, parse

SHA = "0123456789abcdef0123456789abcdef01234567"


def hub(ref: str = "", subdir: str = "", tree: str = "") -> GitSource:
    return GitSource("https://github.com/o/r.git", "github:o/r", ref, subdir, tree)


def at(url: str, ref: str = "", subdir: str = "", repository: str = "") -> GitSource:
    return GitSource(url, repository or url.removesuffix(".git"), ref, subdir)


FORMS: dict[str, Source] = {
    "cowsay": CatalogSource("cowsay"),
    "pin_old": CatalogSource("pin_old"),
    "./mine": FolderSource("./mine"),
    "../mine": FolderSource("../mine"),
    "/srv/mine": FolderSource("/srv/mine"),
    "~/mine": FolderSource("~/mine"),
    ".": FolderSource("."),
    "owner/name": FolderSource("owner/name"),
    "file:///srv/mine": FolderSource("/srv/mine"),
    "file:///srv/my%20own": FolderSource("/srv/my own"),
    "file://localhost/srv/mine": FolderSource("/srv/mine"),
    "file:mine": FolderSource("mine"),
    "FILE:///srv/mine": FolderSource("/srv/mine"),
    "npm:cow": NpmSource("cow"),
    "npm:cow@1.0.0-rc.1": NpmSource("cow", "1.0.0-rc.1"),
    "npm:@acme/cow@next": NpmSource("@acme/cow", "next"),
    "@acme/cow": NpmSource("@acme/cow"),
    "@acme/cow@^1.2": NpmSource("@acme/cow", "^1.2"),
    "github:o/r": hub(),
    "github:o/r.git": hub(),
    "github:o/r/": hub(),
    "github:o/r@v1.2": hub("v1.2"),
    "github:o/r@feature/x": hub("feature/x"),
    "github:o/r@pkg@1.0": hub("pkg@1.0"),
    "github:o/r@main;rm": hub("main;rm"),
    "github:o/r//a/b": hub(subdir="a/b"),
    "github:o/r//a/b@v1": hub("v1", "a/b"),
    "github:o/r@v1//a/b/": hub("v1", "a/b"),
    f"github:o/r@{SHA.upper()}": hub(SHA),
    "https://github.com/o/r": hub(),
    "https://github.com/o/r/": hub(),
    "https://www.GitHub.com/o/r": hub(),
    "https://github.com/o/r.git": hub(),
    "https://github.com/o/r.git@v1": hub("v1"),
    "https://github.com/o/r@feature/x": hub("feature/x"),
    "https://github.com/o/r//a@v1": hub("v1", "a"),
    "https://github.com/o/r/tree/main": hub(tree="main"),
    "https://github.com/o/r/tree/feature/x/sub/": hub(tree="feature/x/sub"),
    "https://github.com/o/r/tree/pkg%401.0/sub": hub(tree="pkg@1.0/sub"),
    "https://github.com/o/r.git/tree/main/sub@v1": hub("v1", tree="main/sub"),
    "https://git.example.org/team/sub/name.git": at("https://git.example.org/team/sub/name.git"),
    "https://Git.Example.org:8443/name//a/b@v1": at("https://git.example.org:8443/name", "v1", "a/b"),
    "https://git.example.org/name@v1//a": at("https://git.example.org/name", "v1", "a"),
    "https://[::1]:8443/name": at("https://[::1]:8443/name"),
    "ssh://git@host:2222/team/name@v1": at("ssh://git@host:2222/team/name", "v1"),
    "ssh://host/name": at("ssh://host/name"),
    "git@github.com:o/r.git@v1//a": at("git@github.com:o/r.git", "v1", "a"),
    "git@host:/srv/name.git//a@v1": at("git@host:/srv/name.git", "v1", "a"),
    "pypi:name": PypiSource("name"),
    "pypi:My.Own_Name==1.0.post1+local": PypiSource("my-own-name", "1.0.post1+local"),
}


@pytest.mark.parametrize("text", FORMS)
def test_every_form(text: str) -> None:
    assert parse(text) == FORMS[text]


@pytest.mark.parametrize("text", [text for text, source in FORMS.items() if isinstance(source, GitSource)])
def test_what_a_source_is_resolved_to_is_a_source_of_the_same_place(text: str) -> None:
    source = parse(text)
    assert isinstance(source, GitSource)
    exact = parse(f"{source.origin}@{SHA}")
    assert isinstance(exact, GitSource)
    assert (exact.repository, exact.subdir, exact.ref) == (source.repository, source.subdir, SHA)


REFS = (
    "-x", "--upload-pack=touch pwned", "-", "a..b", "..", "../../etc", "a b", "a\tb", "a~1", "a^{}", "a:b", "a?", "a*",
    "[a", "a\\b", "@{u}", "a@{1}", "a.lock", "a/.b", ".a", "a.", "/a", "%2d-upload-pack=x",
    "a%0ab", "a%00b", "%2e%2e/x", "a%20b",
)  # fmt: skip
PLACES = ("github:o/r@", "https://github.com/o/r@", "https://host/o/r@", "ssh://git@host/r@", "git@host:o/r@")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("ref", ["", *REFS, "a\nb", "a\0b", "x" * 256])
def test_refs_that_git_would_not_allow_or_take_for_an_option(place: str, ref: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse(place + ref)
    assert caught.value.fields[0].field == "source"
    assert caught.value.hint


@pytest.mark.parametrize(
    "folder",
    ["..", "a/../..", "a/./b", "a//b", ".git/hooks", "a/.GIT", "-x", "a/--b", "a\\b", "%2e%2e", "a%2f..%2fb", "a%00",
     "c:x", "a*"],
)  # fmt: skip
@pytest.mark.parametrize("place", ["github:o/r//", "https://host/r//", "git@host:r//", "https://github.com/o/r/tree/"])
def test_folders_that_lead_elsewhere(place: str, folder: str) -> None:
    with pytest.raises(InvalidRequestError):
        parse(place + folder)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "cowsay\n",
        "./mine\0",
        "-c",
        "--upload-pack=x",
        "name with spaces",
        "cowsay@v1",
        "x" * 3000 + "/",
        "file:",
        "file://otherhost/srv",
        "file:///srv/%0a",
        "github:",
        "github:o",
        "github:/r",
        "github:o/",
        "github:o/..",
        "github:o/r/sub",
        "github:-o/r",
        "github:o/r;x",
        "github:$(id)/r",
        "https://github.com/o",
        "https://github.com/o/r/blob/main/a.py",
        "https://github.com/o/r/tree/",
        "https://github.com/o/r?x=1",
        "https://github.com/o/r#main",
        "https://host",
        "https://host/",
        "https:///name",
        "https://-host/name",
        "https://host/-name",
        "https://ho st/name",
        "https://host/a/../b",
        "https://host/a;b",
        "https://host/$(id)",
        "https://host/`id`",
        "https://host:port/name",
        "https://host:123456/name",
        "https://host/name?ref=x",
        "ssh://-oProxyCommand=touch/x",
        "ssh://-oProxyCommand=touch@host/x",
        "ssh://host",
        "git@-oProxyCommand=x:name",
        "git@host:",
        "git@host:-x",
        "-git@host:x",
        "ext::sh -c touch% x",
        "http://host/name",
        "git://host/name",
        "fd::17",
        "npm:",
        "npm:@scope",
        "npm:@scope/",
        "npm:../x",
        "npm:-g",
        "npm:name@",
        "npm:name@1 --x",
        "npm:name@https://x",
        "npm:name@file:x",
        "npm:@a/b/c",
        "npm:" + "a" * 400,
        "oci:name",
        "gitlab:o/r",
        "javascript:x",
        "pypi:",
        "pypi:-e",
        "pypi:--index-url=x",
        "pypi:name==",
        "pypi:name>=1",
        "pypi:name==1 --x",
        "pypi:name[extra]==1",
        "pypi:name @ https://x",
        "pypi:../x",
    ],
)
def test_what_is_no_source(text: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse(text)
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "https://user:s3cret@host/name",
        "https://s3cret@host/name",
        "https://s3cret@github.com/o/r",
        "ssh://git:s3cret@host/name",
        "http://user:s3cret@host/name",
        "https://user:s3cret@github.com/o/r@v1",
        "https://user:s3cret%40@host/name",
        "ftp://user:s3cret@host/name",
    ],
)
def test_credentials_in_a_url_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse(text)
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in repr((caught.value.fields, caught.value.metadata, caught.value.hint))
