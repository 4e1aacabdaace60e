"""Repositories that ask for credentials, and that no credential gets out."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from mediaconduit.errors import PreconditionError, Reason, UnavailableError
from structlog.testing import capture_logs

from tests.integration.sources.conftest import MANIFEST, MakeSources
from tests.support.git_server import PASSWORD, USER, GitServer


@pytest.fixture
def private(server: GitServer) -> str:
    server.repository("private/r").commit({"MediaConduit.provider.yml": MANIFEST})
    return "github:private/r"


async def test_without_credentials_the_error_says_what_is_needed(make: MakeSources, private: str) -> None:
    with pytest.raises(PreconditionError) as caught:
        await make().resolve(private)
    assert caught.value.reason is Reason.CREDENTIALS_MISSING
    assert caught.value.metadata["source"] == private
    assert "credential helper" in caught.value.hint


async def test_gits_own_credential_helper_is_asked(make: MakeSources, private: str, environ: dict[str, str]) -> None:
    helper = f"!f() {{ echo username={USER}; echo password={PASSWORD}; }}; f"
    Path(environ["GIT_CONFIG_GLOBAL"]).write_text(f'[credential]\n\thelper = "{helper}"\n')
    assert (await make().resolve(private)).folder.is_dir()


async def test_a_netrc_is_read(make: MakeSources, private: str, environ: dict[str, str]) -> None:
    netrc = Path(environ["HOME"], ".netrc")
    netrc.write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
    netrc.chmod(0o600)
    assert (await make().resolve(private)).folder.is_dir()


async def test_a_token_goes_to_its_host_and_into_no_argument(
    make: MakeSources, private: str, server: GitServer, environ: dict[str, str], tmp_path: Path
) -> None:
    shim = tmp_path / "bin" / "git"
    shim.parent.mkdir()
    shim.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/arguments\nexec /usr/bin/env PATH="{environ["PATH"]}" git "$@"\n'
    )
    shim.chmod(0o755)

    async def token(url: str) -> str | None:
        return PASSWORD if url.startswith(f"{server.url}/private/") else None

    sources = make(token=token, variables={"PATH": f"{shim.parent}:{environ['PATH']}"})
    assert (await sources.resolve(private)).folder.is_dir()
    sent = base64.b64encode(f"x-access-token:{PASSWORD}".encode()).decode()
    assert set(server.authorizations) == {f"Basic {sent}"}
    arguments = (tmp_path / "arguments").read_text()
    assert "ls-remote" in arguments
    assert PASSWORD not in arguments
    assert sent not in arguments


async def test_credentials_in_a_mirrors_url_are_in_no_message_and_no_log(
    make: MakeSources, private: str, server: GitServer, environ: dict[str, str]
) -> None:
    mirror = server.url.replace("://", "://someone:wrong-s3cret@")
    Path(environ["GIT_CONFIG_GLOBAL"]).write_text(f'[url "{mirror}/"]\n\tinsteadOf = https://github.com/\n')
    with capture_logs() as logs, pytest.raises(PreconditionError) as caught:
        await make(rewrite={}).resolve(private)
    assert caught.value.reason is Reason.CREDENTIALS_REJECTED
    assert logs
    for text in (str(caught.value), repr(caught.value.metadata), repr(logs)):
        assert "s3cret" not in text


async def test_no_other_variable_reaches_git(
    make: MakeSources, environ: dict[str, str], server: GitServer, tmp_path: Path
) -> None:
    server.repository("o/r").commit({"MediaConduit.provider.yml": MANIFEST})
    shim = tmp_path / "bin" / "git"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nenv >> {tmp_path}/variables\nexec /usr/bin/env PATH="{environ["PATH"]}" git "$@"\n')
    shim.chmod(0o755)
    await make(
        variables={"PATH": f"{shim.parent}:{environ['PATH']}", "VENDOR_API_KEY": "s3cret", "GIT_DIR": "/nowhere"}
    ).resolve("github:o/r")
    seen = (tmp_path / "variables").read_text()
    assert "GIT_TERMINAL_PROMPT=0" in seen
    assert "s3cret" not in seen
    assert "GIT_DIR" not in seen


async def test_what_git_writes_of_urls_is_logged_without_credentials(
    make: MakeSources, environ: dict[str, str], tmp_path: Path
) -> None:
    shim = tmp_path / "bin" / "git"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\necho \"fatal: unable to access 'https://user:s3cret@host/o/r/': odd\" >&2\nexit 128\n")
    shim.chmod(0o755)
    with capture_logs() as logs, pytest.raises(UnavailableError) as caught:
        await make(variables={"PATH": f"{shim.parent}:{environ['PATH']}"}).resolve("github:o/r")
    assert "https://host/o/r/" in repr(logs)
    assert "s3cret" not in repr(logs) + str(caught.value)
