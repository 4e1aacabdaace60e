"""Which source which pattern allows: a table, with what only looks alike."""

from dataclasses import replace

import pytest
from mediaconduit.errors import InvalidRequestError, PreconditionError
from mediaconduit_broker.sources.parse import parse
from mediaconduit_broker.trust.patterns import parse_pattern
from mediaconduit_broker.trust.place import place_of

ALLOWED = [
    ("catalog", "cowsay"),
    ("github:acme/*", "github:acme/cow"),
    ("github:acme/*", "github:acme/cow@v1"),
    ("github:acme/*", "github:acme/cow//sub/folder@main"),
    ("github:acme/**", "github:acme/cow"),
    ("github:*/cow", "github:anyone/cow"),
    ("github:acme/media-*", "github:acme/media-cow"),
    ("github:acme/m*-c*w", "github:acme/media-cow"),
    ("github:Acme/Cow", "github:acme/cow"),
    ("github:acme/cow", "https://GitHub.com/ACME/cow.git"),
    ("github:acme/cow", "https://www.github.com/acme/cow/tree/main/sub"),
    ("github:acme/cow", "git@github.com:acme/cow.git"),
    ("github:acme/cow", "ssh://git@github.com/acme/cow"),
    ("github:acme/cow", "ssh://git@github.com:22/acme/cow"),
    ("https://github.com/acme/*", "github:acme/cow"),
    ("https://github.com/acme/cow.git", "github:acme/cow"),
    ("git@github.com:acme/*", "github:acme/cow"),
    ("github:acme/mono//good", "github:acme/mono//good@v1"),
    ("github:acme/mono//providers/*", "github:acme/mono//providers/cow"),
    ("https://git.example.com/ml/**", "https://git.example.com/ml/cow"),
    ("https://git.example.com/ml/**", "https://git.example.com/ml/deep/er/cow.git@v2"),
    ("https://git.example.com/ml/*", "https://GIT.Example.com:443/ml/cow"),
    ("https://git.example.com:8443/ml/*", "https://git.example.com:8443/ml/cow"),
    ("https://git.example.com/ml/cow.git", "https://git.example.com/ml/cow"),
    ("ssh://git@example.com/ml/*", "ssh://git@example.com:22/ml/cow"),
    ("git@example.com:ml/*", "git@example.com:ml/cow.git"),
    ("git@example.com:/srv/*", "git@example.com:/srv/cow"),
    ("pypi:acme-*", "pypi:Acme_Cow==1.0"),
    ("npm:acme-*", "npm:acme-cow@1.0.0"),
    ("npm:@acme/*", "npm:@acme/cow@1.0.0"),
    ("npm:@acme/cow", "@acme/cow"),
    ("pypi:Acme.Cow", "pypi:acme-cow"),
    ("file:/srv/providers/**", "/srv/providers/a/b"),
    ("file:///srv/providers/*", "file:///srv/providers/cow"),
    ("file:/srv/cow", "/srv/cow/"),
]

REFUSED = [
    # Another owner, host or name that begins or ends as the allowed one.
    ("github:acme/*", "github:acme-evil/cow"),
    ("github:acme/*", "github:evil-acme/cow"),
    ("github:acme/*", "github:acmee/cow"),
    ("github:acme/cow", "github:acme/cow-evil"),
    ("github:acme/cow", "github:acme/co"),
    ("github:acme/*-cow", "github:acme/media-cow-evil"),
    ("github:acme/m*-cow", "github:acme/evil-media-cow"),
    ("github:acme/*", "https://github.com.evil.org/acme/cow"),
    ("github:acme/*", "https://evilgithub.com/acme/cow"),
    ("github:acme/*", "https://evil.org/github.com/acme/cow"),
    ("github:acme/*", "https://github.com:8443/acme/cow"),
    ("github:acme/*", "https://gist.github.com/acme/cow"),
    ("github:acme/*", "evil@github.com:acme/cow"),
    ("github:acme/*", "git@github.com.evil.org:acme/cow"),
    ("github:acme/*", "git@github.com:acme/cow/more"),
    ("github:acme/*", "pypi:acme"),
    ("github:acme/*", "acme/cow"),
    ("https://git.example.com/ml/**", "https://git.example.com.evil.org/ml/cow"),
    ("https://git.example.com/ml/**", "https://git-example.com/ml/cow"),
    ("https://git.example.com/ml/**", "https://xgit.example.com/ml/cow"),
    ("https://git.example.com/ml/**", "https://git.example.com:8443/ml/cow"),
    ("https://git.example.com/ml/**", "ssh://git.example.com/ml/cow"),
    ("https://git.example.com/ml/**", "https://git.example.com/mlx/cow"),
    ("https://git.example.com/ml/**", "https://git.example.com/ML/cow"),
    ("https://git.example.com/ml/**", "https://git.example.com/x/ml/cow"),
    ("https://git.example.com/ml/**", "https://git.example.com/ml"),
    ("https://git.example.com/ml/*", "https://git.example.com/ml/deep/cow"),
    ("https://git.example.com/ml/**", "https://git.example.com/m\u217c/cow"),
    ("ssh://git@example.com/ml/*", "ssh://root@example.com/ml/cow"),
    ("ssh://git@example.com/ml/*", "git@example.com:ml/cow"),
    ("git@example.com:ml/*", "git@example.com:/ml/cow"),
    ("pypi:acme-*", "pypi:evil-acme-cow"),
    ("npm:@acme/*", "npm:@acme-evil/cow"),
    ("npm:@acme/cow", "npm:@acme/cow2"),
    ("npm:acme", "pypi:acme"),
    ("pypi:acme-cow", "pypi:acme-cow2"),
    ("github:acme/mono//good", "github:acme/mono"),
    ("github:acme/mono//good", "github:acme/mono//evil"),
    ("github:acme/mono//good", "github:acme/mono//goodevil"),
    ("github:acme/mono//good", "https://github.com/acme/mono/tree/main/good"),
    ("file:/srv/providers/**", "/srv/providers"),
    ("file:/srv/providers/**", "/srv/providers-evil/cow"),
    ("file:/srv/providers/**", "/home/srv/providers/cow"),
    ("file:/srv/providers/*", "/srv/providers/a/b"),
    ("file:/srv/Providers/**", "/srv/providers/cow"),
    ("catalog", "/catalog"),
    ("file:/catalog", "cowsay"),
]

NOT_PLAIN = [
    "https://git.example.com/ml/../evil/cow",
    "https://git.example.com/ml/%2e%2e/evil/cow",
    "https://git.example.com/ml/%2E./evil/cow",
    "https://git.example.com/ml/%252e%252e/evil",
    "https://git.example.com/ml/..%2fevil",
    "https://git.example.com/ml/x%5c..%5c..%5cevil",
    "https://git.example.com/ml/x%00evil",
    "https://git.example.com/ml/\u202ewoc",
    "https://git.example.com/ml/x\u200b",
    "https://git.example.com./ml/cow",
    "https://github.com./acme/cow",
    "https://git.example.com@evil.org/ml/cow",
    "https://git.example.com:x@evil.org/ml/cow",
    "https://git.ex\u0430mple.com/ml/cow",
    "https://git.example.com\\@evil.org/ml/cow",
    "https://git.example.com\uff0fml/cow",
    "github:\u0430cme/cow",
    "github:acme/..",
    "github:acme/cow//../evil",
    "github:acme/%2e%2e",
    "file:///srv/providers/../evil",
    "http://git.example.com/ml/cow",
    "ext::sh -c evil",
    "--upload-pack=evil",
]

NO_PATTERN = [
    "",
    " catalog",
    "catalogue",
    "*",
    "**",
    "acme/*",
    "/srv/providers/**",
    "file:srv/providers",
    "file:/srv/../etc/**",
    "file:/srv/**/evil",
    "file:/srv/x**",
    "github:*",
    "github:**",
    "github:**/x",
    "github:acme",
    "github:acme/",
    "github:acme/x/y",
    "github:acme/cow@v1",
    "https://*.example.com/ml/**",
    "https://*/ml/**",
    "https://git.example.com",
    "https://git.example.com/",
    "https://git.example.com./ml/**",
    "https://me@git.example.com/ml/**",
    "https://git.ex\u0430mple.com/ml/**",
    "https://git.example.com/%6dl/**",
    "https://git.example.com/m?/**",
    "http://git.example.com/ml/**",
    "pypi:*",
    "pypi:acme==1.0",
    "npm:*",
    "npm:@acme",
    "npm:@*/cow",
    "npm:acme@1.0",
]


@pytest.mark.parametrize(("pattern", "source"), ALLOWED)
def test_allows(pattern: str, source: str) -> None:
    assert parse_pattern(pattern).allows(place_of(parse(source)))


@pytest.mark.parametrize(("pattern", "source"), REFUSED)
def test_does_not_allow_what_only_looks_like_it(pattern: str, source: str) -> None:
    assert not parse_pattern(pattern).allows(place_of(parse(source)))


@pytest.mark.parametrize("source", NOT_PLAIN)
def test_what_could_mean_another_place_has_none(source: str) -> None:
    with pytest.raises(InvalidRequestError):
        place_of(parse(source))


@pytest.mark.parametrize("text", NO_PATTERN)
def test_a_pattern_that_means_more_than_it_seems_is_none(text: str) -> None:
    with pytest.raises(PreconditionError) as caught:
        parse_pattern(text, "trust.allow[3]")
    assert caught.value.fields[0].field == "trust.allow[3]"
    assert caught.value.hint


@pytest.mark.parametrize("source", [source for _, source in ALLOWED + REFUSED if "com:acme/cow/more" not in source])
def test_a_places_text_is_a_pattern_that_allows_it_alone(source: str) -> None:
    place = place_of(parse(source))
    pattern = parse_pattern(str(place))
    assert pattern.allows(place)
    others = {place_of(parse(other)) for _, other in ALLOWED + REFUSED} - {place}
    assert not any(pattern.allows(other) for other in others if replace(other, subdir=()) != replace(place, subdir=()))
