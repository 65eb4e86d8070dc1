import argparse
from pathlib import Path

import pytest

from alertdrill.monitor.bad_settings import BadSettings
from alertdrill.monitor.settings import add_options, settings_of
from alertdrill.monitor.truth.mail import Post
from alertdrill.monitor.truth.settings import TruthSettings, open_post

CHECK = ["--truth-store", "x.db", "--accuracy-check-every", "7d", "--accuracy-check-threshold", "0.9",
         "--smtp-host", "mail.example", "--smtp-from", "a@b.example", "--smtp-to", "c@d.example"]  # fmt: skip


def settings(*argv: str) -> TruthSettings | None:
    parser = argparse.ArgumentParser()
    add_options(parser)
    return settings_of(parser.parse_args(["--schema", "s.json", "--reference", "r.csv", *argv])).truth


def post(*argv: str, **environment: str) -> Post | None:
    found = settings(*CHECK, *argv)
    assert found is not None
    return open_post(found, environment)


def test_without_options_there_is_no_ground_truth() -> None:
    assert settings() is None


def test_every_mistake_is_said_at_once() -> None:
    with pytest.raises(BadSettings) as found:
        settings(
            "--truth-store",
            "x.db",
            "--truth-window",
            "5x",
            "--truth-share",
            "2",
            "--truth-version",
            "body",
            "--smtp-port",
            "x",
        )
    text = found.value.said()
    for option in ("--truth-window", "--truth-share", "--truth-version", "--smtp-port"):
        assert option in text
    assert "fix: write 30s" in text


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--truth-store", "x", "--truth-window", "1d", "--truth-window", "1d"], "--truth-window"),
        (["--truth-store", "x", "--truth-window", "90d"], "--truth-keep"),
        (["--truth-store", "x", "--kpi", "a=nothing"], "--kpi"),
        (["--truth-store", "x", "--kpi", "a=count(label = 1)", "--kpi", "a=rate(label = 1)"], "all different"),
        (["--truth-store", "x", "--smtp-host", "h"], "--accuracy-check-every"),
        (["--truth-store", "x", "--accuracy-check-every", "7d"], "--smtp-to"),
        ([*CHECK, "--accuracy-check-metric", "rmse"], "--accuracy-check-metric"),
        ([*CHECK, "--smtp-user", "u"], "--smtp-password-env"),
        ([*CHECK, "--smtp-user", "u", "--smtp-password-env", "P", "--smtp-security", "none"], "--smtp-security"),
        ([*CHECK, "--smtp-to", "x@y.example\nBcc: z@z.example"], "--smtp-to"),
        (["--smtp-host", "h"], "--truth-store"),
    ],
)
def test_options_that_contradict_each_other_are_explained(argv: list[str], says: str) -> None:
    with pytest.raises(BadSettings) as found:
        settings(*argv)
    assert says in found.value.said()
    assert "fix:" in found.value.said()


def test_the_password_comes_from_the_environment_or_a_file_and_is_never_shown(tmp_path: Path) -> None:
    by_environment = post("--smtp-user", "u", "--smtp-password-env", "MAIL", MAIL="secret")
    (tmp_path / "password").write_text("secret\n")
    by_file = post("--smtp-user", "u", "--smtp-password-file", str(tmp_path / "password"))
    for found in (by_environment, by_file):
        assert found is not None
        assert found.password == "secret"
        assert "secret" not in repr(found)
    with pytest.raises(BadSettings, match="no MAIL"):
        post("--smtp-user", "u", "--smtp-password-env", "MAIL")
    with pytest.raises(BadSettings, match="FileNotFound"):
        post("--smtp-user", "u", "--smtp-password-file", str(tmp_path / "none"))
    with pytest.raises(BadSettings, match="smtp_ca"):
        post("--smtp-ca", str(tmp_path / "none"))
