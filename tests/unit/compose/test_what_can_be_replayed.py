"""Which drills cannot be replayed, because not one Prometheus alone evaluated their rules."""

import gzip
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alertdrill.compose.recorded import read_all_recorded, read_recorded
from alertdrill.core.errors import BadInput
from alertdrill.core.recording import from_json, to_json

BUNDLED = Path(__file__).parents[3] / "recordings" / "seed-disaster"


def with_journal(folder: Path, edit: Callable[[list[dict[str, Any]]], None]) -> Path:
    """A copy of the bundled recording whose journal was written otherwise, hashes and all."""
    shutil.copytree(BUNDLED, folder)
    journal, samples = folder / "journal.jsonl", folder / "samples.json.gz"
    written = [json.loads(line) for line in journal.read_bytes().splitlines()]
    edit(written)
    text = b"".join(json.dumps(one).encode() + b"\n" for one in written)
    journal.write_bytes(text)
    recording = from_json(gzip.decompress(samples.read_bytes()))
    source = replace(recording.source, journal_sha256=hashlib.sha256(text).hexdigest(), journal_bytes=len(text))
    samples.write_bytes(gzip.compress(to_json(replace(recording, source=source))))
    return folder


def of_a_pair(journal: list[dict[str, Any]]) -> None:
    at = journal[0]["at"]
    journal.insert(1, {"at": at, "record": "replicas", "names": ["one", "two"], "label": "replica", "apart": True})


def of_vmalert(journal: list[dict[str, Any]]) -> None:
    for record in journal:
        for group in record["groups"] if record["record"] == "rules" else ():
            group["engine"] = "vmalert"


def test_a_drill_that_is_written_anew_unchanged_is_read(tmp_path: Path) -> None:
    assert read_recorded(with_journal(tmp_path / "drill", lambda journal: None)).live.verdict.value == "passed"


@pytest.mark.parametrize(
    ("edit", "says"),
    [(of_a_pair, "a drill of several replicas"), (of_vmalert, "a drill whose rules vmalert evaluated")],
)
def test_a_drill_that_not_one_prometheus_judged_is_refused(
    tmp_path: Path, edit: Callable[[list[dict[str, Any]]], None], says: str
) -> None:
    with pytest.raises(BadInput) as refused:
        read_recorded(with_journal(tmp_path / "drill", edit))
    (mistake,) = refused.value.mistakes
    assert mistake.got == says
    assert mistake.file == str(tmp_path / "drill")


def test_what_is_wrong_with_several_recordings_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        read_all_recorded([tmp_path / "a", tmp_path / "b"])
    assert [(one.file, one.got) for one in refused.value.mistakes] == [
        (str(tmp_path / name), "no plan.json") for name in ("a", "b")
    ]
