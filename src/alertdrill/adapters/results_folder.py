"""results/<scenario>/<run_id>/: what a drill leaves behind, and reading it again."""

import gzip
import hashlib
import json
import os
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from alertdrill.adapters.journal_file import read_journal
from alertdrill.core import journal as records
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.kept import Kept
from alertdrill.core.plan import Plan
from alertdrill.core.recording import Recording, from_json, to_json
from alertdrill.core.repeat import RepeatResult
from alertdrill.core.result import Result
from alertdrill.core.revision import Revision, revision

EXPECTED = "plan.json, journal.jsonl and samples.json.gz of a drill"
FIX = "give the folder of one run, results/<scenario>/<run id>, as the drill left it"
NOT_RECORDED = "a drill that was not recorded (alertdrill run --record none)"


@dataclass(frozen=True)
class ResultsFolder:
    """The files of one drill."""

    path: Path

    @classmethod
    def create(cls, results: Path, scenario: str, run_id: str) -> "ResultsFolder":
        """Make the folder of a new run.

        Raises:
            BadInput: it cannot be made.
        """
        path = results / scenario / run_id
        try:
            path.mkdir(parents=True)
        except OSError as error:
            got = error.strerror or str(error)
            raise BadInput(
                [Mistake("--results", got, "a folder that can be written", "give another folder", file=str(path))]
            ) from error
        return cls(path)

    @property
    def plan(self) -> Path:
        """plan.json."""
        return self.path / "plan.json"

    @property
    def journal(self) -> Path:
        """journal.jsonl."""
        return self.path / "journal.jsonl"

    @property
    def samples(self) -> Path:
        """samples.json.gz."""
        return self.path / "samples.json.gz"

    @property
    def target_log(self) -> Path:
        """target.log: what a target said that a command started."""
        return self.path / "target.log"

    @property
    def result(self) -> Path:
        """result.json."""
        return self.path / "result.json"

    def write_plan(self, plan: Plan) -> None:
        """Write plan.json."""
        _replace(self.plan, plan.model_dump_json(indent=1).encode() + b"\n")

    def write_samples(self, recording: Recording, kept: Kept = Kept.SCOPE) -> None:
        """Write the recording, unless none is kept; the same samples are the same bytes."""
        if kept is not Kept.NONE:
            _replace(self.samples, gzip.compress(to_json(recording), compresslevel=6, mtime=0))

    @property
    def difference(self) -> Path:
        """result.diff.json."""
        return self.path / "result.diff.json"

    def keep(self, result: Result) -> Revision | None:
        """Write result.json where there is none; else compare, keep it, and write how they differ beside it.

        Raises:
            BadInput: there is a result.json, and it is not one.
        """
        if not self.result.exists():
            _replace(self.result, result.to_json())
            return None
        try:
            before = json.loads(self.result.read_bytes())
        except ValueError:
            before = None
        if not isinstance(before, dict):
            fix = "remove it, and check again: it is derived from the other files"
            raise BadInput([Mistake("", "no JSON object", "the result of a drill", fix, file=str(self.result))])
        found = revision(before, json.loads(result.to_json()))
        if found is None:
            self.difference.unlink(missing_ok=True)
        else:
            _replace(self.difference, found.to_json())
        return found

    def changed(self, recording: Recording) -> list[str]:
        """Which of plan.json and journal.jsonl are not those that a recording was written beside."""
        source, found = recording.source, []
        if source.plan_sha256 not in (None, hashlib.sha256(self.plan.read_bytes()).hexdigest()):
            found.append(self.plan.name)
        journal = self.journal.read_bytes()[: source.journal_bytes]
        if source.journal_sha256 not in (None, hashlib.sha256(journal).hexdigest()):
            found.append(self.journal.name)
        return found

    def read_result(self) -> Result:
        """result.json, as the drill has just written it."""
        return Result.model_validate_json(self.result.read_bytes())

    def read(self) -> tuple[Plan, tuple[records.Record, ...], Recording]:
        """Plan, journal and recording.

        Raises:
            BadInput: a file is missing or not what it should be, or the drill was not recorded.
        """
        try:
            plan = Plan.model_validate_json(self.plan.read_bytes())
            if plan.record is Kept.NONE:
                raise self._not_recorded()
            recording = from_json(gzip.decompress(self.samples.read_bytes()))
        except (OSError, ValidationError, ValueError, EOFError, zlib.error) as error:
            got = str(error).splitlines()[0]
            if isinstance(error, FileNotFoundError):
                got = f"no {Path(error.filename).name}"
            raise BadInput([Mistake("", got, EXPECTED, FIX, file=str(self.path))]) from error
        journal = read_journal(self.journal)
        if not any(isinstance(record, records.Started) for record in journal):
            raise BadInput([Mistake("", "a journal without its beginning", EXPECTED, FIX, file=str(self.journal))])
        return plan, journal, recording

    def _not_recorded(self) -> BadInput:
        fix = "run it again without --record none"
        if self.result.exists():
            fix += f"; what it found is in {self.result.name}"
        return BadInput([Mistake("", NOT_RECORDED, EXPECTED, fix, file=str(self.path))])


@dataclass(frozen=True)
class RepeatFolder:
    """The folder of several drills together: repeat.json; each drill has a folder of its own beside it."""

    path: Path

    @classmethod
    def create(cls, results: Path, scenario: str, repeat_id: str) -> "RepeatFolder":
        """Make the folder.

        Raises:
            BadInput: it cannot be made.
        """
        return cls(ResultsFolder.create(results, scenario, repeat_id).path)

    @property
    def summary(self) -> Path:
        """repeat.json."""
        return self.path / "repeat.json"

    def write(self, result: RepeatResult) -> None:
        """Write repeat.json."""
        _replace(self.summary, result.to_json())

    def read(self) -> RepeatResult:
        """repeat.json.

        Raises:
            BadInput: it is not what it should be.
        """
        try:
            return RepeatResult.model_validate_json(self.summary.read_bytes())
        except (OSError, ValidationError) as error:
            got = str(error).splitlines()[0]
            fix = "give the folder as `run --repeat` left it, or one of its runs"
            raise BadInput([Mistake("", got, "repeat.json of `run --repeat`", fix, file=str(self.path))]) from error

    def run(self, run_id: str) -> Path:
        """The folder of one of its drills."""
        return self.path.parent / run_id


def check_writable(results: Path) -> None:
    """See that results can be kept, before anything is started.

    Raises:
        BadInput: the folder is none, or cannot be made or written.
    """
    try:
        results.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=results):
            return
    except OSError as error:
        got = error.strerror or str(error)
        mistake = Mistake("--results", got, "a folder that can be written", "give another folder", file=str(results))
        raise BadInput([mistake]) from error


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(path.name + ".part")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
