import pytest
from mediaconduit_broker.trust.packages import oldest_python, parse_packages, pinned_lines

WRITTEN = """\
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:22 \\
    --hash=sha256:11
mediaconduit==0.1.0 \\
    --hash=sha256:33
mediaconduit-provider==0.1.0
tiny @ https://example.com/tiny-1.0-py3-none-any.whl \\
    --hash=sha256:44
--index-url https://example.com
"""


def test_what_uv_writes_becomes_packages_without_ours() -> None:
    assert parse_packages(WRITTEN) == {
        "colorama==0.4.6 ; sys_platform == 'win32'": ("sha256:11", "sha256:22"),
        "tiny @ https://example.com/tiny-1.0-py3-none-any.whl": ("sha256:44",),
    }


def test_packages_become_lines_that_read_back() -> None:
    packages = parse_packages(WRITTEN)
    lines = pinned_lines(packages)
    assert lines[0] == "colorama==0.4.6 ; sys_platform == 'win32' --hash=sha256:11 --hash=sha256:22"
    assert parse_packages("\n".join(lines)) == packages


@pytest.mark.parametrize(
    ("requires", "oldest"),
    [
        ("", "3.11"),
        (">=3.8", "3.11"),
        (">=3.12", "3.12"),
        (">=3.12.4,<3.14", "3.12"),
        (">3.12.1", "3.12"),
        ("==3.13.*", "3.13"),
        ("<3.11", "3.11"),
    ],
)
def test_packages_are_resolved_from_the_oldest_python_on(requires: str, oldest: str) -> None:
    assert oldest_python(requires) == oldest
