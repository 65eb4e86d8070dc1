from pathlib import Path

import pytest
from typer.testing import CliRunner

from alertdrill.cli.app import app
from alertdrill.cli.replay import check_source
from alertdrill.core.errors import BadInput

NO_SETTINGS = {"--set": None, "--plot": None}
NONE = {"--range": None, "--onset": None, "--tz": None}


@pytest.mark.parametrize(
    ("recordings", "prometheus", "options", "says"),
    [
        ([], None, NONE, "got neither, expected recordings, or --prometheus URL"),
        ([Path("x")], "http://x", NONE, "got both"),
        ([Path("x")], None, {**NONE, "--onset": "03:10"}, "--onset\n  got it with recordings"),
    ],
)
def test_recordings_or_a_prometheus_with_its_own_options(
    recordings: list[Path], prometheus: str | None, options: dict[str, str | None], says: str
) -> None:
    with pytest.raises(BadInput, match=says):
        check_source(recordings, prometheus, options, NO_SETTINGS)
    check_source([Path("x")], None, NONE, {"--set": ["for=1s"]})
    check_source(None, "http://x", {**NONE, "--onset": "03:10"}, NO_SETTINGS)


def test_settings_are_of_recordings() -> None:
    with pytest.raises(BadInput, match="--set\n  got it with --prometheus, expected recordings with it"):
        check_source(None, "http://x", NONE, {"--set": ["for=1s"], "--plot": None})


def test_a_history_is_of_a_past() -> None:
    done = CliRunner().invoke(app, ["replay", "recording", "--rules", "rules.yml", "--history", "3d"])
    assert isinstance(done.exception, BadInput)
    assert "--history\n  got it with recordings" in str(done.exception)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--range\n  got nothing"),
        (["--range", "03:00..05:00", "--onset", "06:00"], "--onset\n  got"),
        (["--range", "03:00..05:00", "--onset", "03:10", "--tz", "Nowhere"], "--tz\n  got Nowhere"),
        (["--range", "03:00..05:00", "--onset", "03:10", "--fail-on", "slowr"], "write slower"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anybody_is(arguments: list[str], says: str) -> None:
    done = CliRunner().invoke(app, ["replay", "--prometheus", "http://127.0.0.1:1", "--rules", "rules.yml", *arguments])
    assert isinstance(done.exception, BadInput)
    assert says in str(done.exception)


def test_a_past_needs_rules() -> None:
    done = CliRunner().invoke(app, ["replay", "--prometheus", "http://127.0.0.1:1"])
    assert "--rules\n  got none" in str(done.exception)
