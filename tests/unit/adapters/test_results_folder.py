import gzip
import json
from pathlib import Path

import pytest
from drill import Drill

from alertdrill.adapters.journal_file import JournalFile
from alertdrill.adapters.results_folder import ResultsFolder
from alertdrill.core.errors import BadInput
from alertdrill.core.kept import Kept


@pytest.fixture
def folder(tmp_path: Path) -> ResultsFolder:
    drill = Drill().detect()
    found = ResultsFolder.create(tmp_path, "seed", "one")
    found.write_plan(drill.plan)
    found.write_samples(drill.recording())
    journal = JournalFile(found.journal)
    for record in drill.journal:
        journal.write(record)
    journal.close()
    return found


def test_what_was_written_is_read_again(folder: ResultsFolder) -> None:
    plan, journal, recording = folder.read()
    drill = Drill().detect()
    assert plan == drill.plan
    assert list(journal) == drill.journal
    assert len(recording.series) == len(drill.recording().series)


def test_the_same_samples_are_the_same_bytes(folder: ResultsFolder) -> None:
    before = folder.samples.read_bytes()
    folder.write_samples(Drill().detect().recording())
    assert folder.samples.read_bytes() == before


def test_a_last_line_cut_short_is_left_out(folder: ResultsFolder) -> None:
    whole = folder.journal.read_bytes()
    folder.journal.write_bytes(whole[:-10])
    assert len(folder.read()[1]) == whole.count(b"\n") - 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plan.json", b"{}"),
        ("samples.json.gz", b"no gzip"),
        ("samples.json.gz", gzip.compress(b"[]", mtime=0)[:10] + b"\xff" * 20),
        ("samples.json.gz", gzip.compress(b"[]", mtime=0)),
        ("samples.json.gz", gzip.compress(b'{"schema":"alertdrill/samples/v1"}', mtime=0)),
        ("journal.jsonl", b"no record\n{}\n"),
        ("journal.jsonl", b""),
    ],
)
def test_a_file_that_is_not_a_drill_s_is_bad_input(folder: ResultsFolder, name: str, content: bytes) -> None:
    (folder.path / name).write_bytes(content)
    with pytest.raises(BadInput):
        folder.read()


@pytest.mark.parametrize("name", ["plan.json", "samples.json.gz", "journal.jsonl"])
def test_a_missing_file_is_bad_input(folder: ResultsFolder, name: str) -> None:
    (folder.path / name).unlink()
    with pytest.raises(BadInput):
        folder.read()


def test_a_folder_that_cannot_be_made_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="--results"):
        ResultsFolder.create(tmp_path / "file", "seed", "one")


def test_a_result_is_written_once_and_kept_when_it_is_the_same(folder: ResultsFolder) -> None:
    result = Drill().detect().judge()
    assert folder.keep(result) is None
    before = folder.result.read_bytes()
    assert folder.keep(result) is None
    assert folder.result.read_bytes() == before == result.to_json()
    assert not folder.difference.exists()


def test_a_result_that_differs_is_kept_and_the_difference_written(folder: ResultsFolder) -> None:
    folder.keep(Drill().detect().judge())
    before = folder.result.read_bytes()
    found = folder.keep(Drill().judge().model_copy(update={"judged_by": "9.9.9"}))
    assert found is not None
    assert "expectations[nulls/NullsHigh].verdict" in {one.field for one in found.changes}
    assert folder.result.read_bytes() == before
    assert json.loads(folder.difference.read_bytes())["judged_again_by"] == "9.9.9"
    assert folder.keep(Drill().detect().judge()) is None
    assert not folder.difference.exists()


def test_a_result_that_is_none_is_bad_input(folder: ResultsFolder) -> None:
    for text in ("no JSON", "[]"):
        folder.result.write_text(text)
        with pytest.raises(BadInput, match="remove it"):
            folder.keep(Drill().detect().judge())


def test_a_drill_that_was_not_recorded_says_so_and_has_no_samples(folder: ResultsFolder) -> None:
    before = folder.samples.read_bytes()
    drill = Drill().detect()
    folder.write_samples(Drill().recording(), Kept.NONE)
    assert folder.samples.read_bytes() == before
    folder.samples.unlink()
    folder.write_plan(drill.plan.model_copy(update={"record": Kept.NONE}))
    with pytest.raises(BadInput, match=r"not recorded \(alertdrill run --record none\)") as refused:
        folder.read()
    assert [one.fix for one in refused.value.mistakes] == ["run it again without --record none"]
    folder.result.write_bytes(b"{}")
    with pytest.raises(BadInput, match=r"what it found is in result\.json"):
        folder.read()


def test_plans_from_before_there_was_a_choice_are_of_recorded_drills(folder: ResultsFolder) -> None:
    plan = json.loads(folder.plan.read_bytes())
    del plan["record"]
    folder.plan.write_text(json.dumps(plan))
    assert folder.read()[0].record is Kept.SCOPE
