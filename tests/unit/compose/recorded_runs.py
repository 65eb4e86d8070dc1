"""Drills that were run, as far as the files they leave behind go."""

from pathlib import Path

from drill import Drill

from alertdrill.adapters.journal_file import JournalFile
from alertdrill.adapters.results_folder import ResultsFolder
from alertdrill.compose import Outcome, check_folder


def left_behind(results: Path, run_id: str, drill: Drill) -> Outcome:
    """Write the folder of a drill, and judge it."""
    folder = ResultsFolder.create(results, drill.plan.scenario.name, run_id)
    folder.write_plan(drill.plan.model_copy(update={"run_id": run_id}))
    folder.write_samples(drill.recording())
    journal = JournalFile(folder.journal)
    for record in drill.journal:
        journal.write(record)
    journal.close()
    return check_folder(folder.path)
