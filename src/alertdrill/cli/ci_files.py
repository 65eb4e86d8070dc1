"""What continuous integration reads: `--junit FILE`, `--markdown FILE`, and annotations where GitHub runs the job."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from alertdrill.cli.json_file import unwritable, writing
from alertdrill.core.errors import Mistake

if TYPE_CHECKING:
    from alertdrill.report.checks import Suite

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


@dataclass(frozen=True)
class CiFiles:
    """The files that were asked for."""

    junit: Path | None = None
    markdown: Path | None = None

    def mistakes(self) -> Iterator[Mistake]:
        """Why one of them cannot be written."""
        yield from unwritable(self.junit, "--junit")
        yield from unwritable(self.markdown, "--markdown")

    @property
    def wanted(self) -> bool:
        """Whether there is anything to be written; what it takes is imported, and read, only then."""
        return self.junit is not None or self.markdown is not None or _on_github()

    def write(self, suites: "Sequence[Suite]") -> None:
        """Write them; and print at most ten annotations if GitHub Actions runs us.

        What is written to the summary of a job's step is added to what stands there.

        Raises:
            AlertdrillError: one could not be written.
        """
        if self.junit is not None:
            from alertdrill.report.junit import junit

            with writing(self.junit, "--junit FILE"):
                self.junit.write_bytes(junit(suites))
        if self.markdown is not None:
            from alertdrill.report.markdown import markdown

            added = str(self.markdown) == os.environ.get(STEP_SUMMARY)
            with (
                writing(self.markdown, "--markdown FILE"),
                self.markdown.open("a" if added else "w", encoding="utf-8") as file,
            ):
                file.write(markdown(suites))
        if _on_github():
            from alertdrill.report.annotations import annotations

            for line in annotations(suites):
                typer.echo(line)


def _on_github() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"


NO_FILES = CiFiles()
