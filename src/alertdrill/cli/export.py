"""`alertdrill export`."""

from pathlib import Path

from rich.console import Console

from alertdrill.cli.json_file import unwritable, writing
from alertdrill.compose.export import promtool_files
from alertdrill.core.errors import BadInput
from alertdrill.report.terminal import many


def export_promtool(console: Console, folder: Path, file: Path) -> int:
    """Write the two files; 0.

    Raises:
        BadInput: the folder, or the file, cannot be used.
        AlertdrillError: promtool does not pass the test.
    """
    mistakes = list(unwritable(file, "--promtool"))
    if mistakes:
        raise BadInput(mistakes)
    found = promtool_files(folder, file.with_name(f"{file.stem}.rules.yml").name)
    for name, text in ((file, found.tests), (file.with_name(found.rules_name), found.rules)):
        with writing(name, "--promtool FILE"):
            name.write_text(text, encoding="utf-8")
    for expectation, why in found.left_out.items():
        console.print(f"left out: {expectation}, {why}", style="yellow", soft_wrap=True)
    console.print(
        f"{many(len(found.expectations), 'alert')} that promtool passes: promtool test rules {file}", soft_wrap=True
    )
    return 0
