"""`alertdrill plan`: the timeline, the requests each fault will touch, and what each expectation can hope for."""

from pathlib import Path

from rich.console import Console

from alertdrill.cli.json_file import unwritable, writing
from alertdrill.compose import Options, plan_drill
from alertdrill.compose.options import refuse
from alertdrill.report.plan_terminal import show


def show_plan(console: Console, scenario: str, options: Options, json: Path | None = None) -> int:
    """Print the plan; 2 if the drill cannot succeed.

    Raises:
        BadInput: the scenario or an option cannot be used.
    """
    refuse(unwritable(json))
    found = plan_drill(scenario, options, lambda text: console.print(text, style="dim"))
    show(console, found.outlook)
    for mistake in found.mistakes:
        console.print(f"\n{mistake.render()}", style="red", soft_wrap=True)
    if json is not None:
        with writing(json):
            json.write_bytes(found.outlook.to_json())
    return 2 if found.mistakes else 0
