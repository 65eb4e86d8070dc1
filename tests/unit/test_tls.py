"""Settings of TLS: on a command line, for another folder, and in words."""

import argparse
import errno
import ssl
from pathlib import Path

import pytest

from alertdrill.tls import SYSTEM_ROOTS, BadTlsFile, TlsSettings, add_options, from_options, said


@pytest.mark.parametrize(
    "settings",
    [
        SYSTEM_ROOTS,
        TlsSettings(ca=Path("/a/ca.pem"), cert=Path("/a/c.pem"), key=Path("/a/c.key"), server_name="model.test"),
        TlsSettings(verify=False),
    ],
)
def test_settings_survive_a_command_line(settings: TlsSettings) -> None:
    parser = argparse.ArgumentParser()
    add_options(parser)
    assert from_options(parser.parse_args(settings.arguments())) == settings


def test_what_is_checked_by_default_is_the_chain_and_the_host() -> None:
    context = SYSTEM_ROOTS.context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert not context.options & ssl.OP_IGNORE_UNEXPECTED_EOF  # a connection that was cut is not one that was closed


def test_only_verify_false_checks_nothing() -> None:
    context = TlsSettings(verify=False).context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)
    assert TlsSettings(server_name="other.test").context().check_hostname


def test_files_are_named_for_a_process_in_another_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    absolute = TlsSettings(ca=Path("ca.pem"), cert=Path("c.pem")).absolute()
    assert (absolute.ca, absolute.cert, absolute.key) == (tmp_path / "ca.pem", tmp_path / "c.pem", None)


def test_a_file_that_is_not_there_is_named_with_what_must_be_in_it(tmp_path: Path) -> None:
    with pytest.raises(BadTlsFile) as caught:
        TlsSettings(ca=tmp_path / "ca.pem").context()
    assert caught.value.which == "ca"
    assert str(caught.value).startswith(f"{tmp_path}/ca.pem\n  got No such file or directory, expected certificates")


def test_errors_are_said_without_codes() -> None:
    assert said(ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")) == "Connection refused"
    assert said(ConnectionResetError()) == "ConnectionResetError"
