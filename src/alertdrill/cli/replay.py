"""`alertdrill replay`: what a change of rules would have cost in recorded drills."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from alertdrill.cli.ci_files import NO_FILES, CiFiles
from alertdrill.cli.json_file import unwritable, writing
from alertdrill.compose.replay import replay_recordings
from alertdrill.core.collected import collected
from alertdrill.core.errors import BadInput, Mistake, nearest
from alertdrill.core.replay.comparison import FAILURES
from alertdrill.core.replay.settings import Setting, parse_settings
from alertdrill.report.replay_terminal import show

EXIT_CODES = {"passed": 0, "failed": 1, "inconclusive": 3}
NOTHING = "nothing"
PLOTS = (".html", ".svg")


def replay(
    console: Console,
    recordings: Sequence[Path],
    rules: Sequence[Path],
    against: Sequence[Path] | None,
    fail_on: str,
    json: Path | None,
    quiet: bool,
    ci: CiFiles = NO_FILES,
    settings: Sequence[str] = (),
    plot: Path | None = None,
) -> int:
    """Replay recordings under changed rules, and say what they would have cost.

    Raises:
        BadInput: a recording, a rule file or an option cannot be used.
    """
    mistakes = [*unwritable(json), *ci.mistakes(), *unknown(fail_on), *_no_rules(rules, settings)]
    chosen = collected(mistakes, lambda: parse_settings(settings)) or ()
    mistakes += _no_plot(plot, chosen)
    if mistakes:
        raise BadInput(mistakes)
    names = [] if fail_on == NOTHING else fail_on.split(",")
    note = (lambda text: None) if quiet else (lambda text: console.print(text, style="dim", soft_wrap=True))
    if chosen:
        from alertdrill.compose.what_if import what_if

        found = what_if(recordings, rules, against, chosen, names, note)
    else:
        found = replay_recordings(recordings, rules, against, names, note)
    show(console, found)
    if found.sweep is not None:
        from alertdrill.report.sweep_terminal import show_sweep

        show_sweep(console, found.sweep)
        if plot is not None:
            from alertdrill.report.sweep_plot import drawing, page

            with writing(plot, "--plot FILE"):
                plot.write_text(page(found.sweep) if plot.suffix == ".html" else drawing(found.sweep), encoding="utf-8")
    if json is not None:
        with writing(json):
            json.write_bytes(found.to_json())
    if ci.wanted:
        from alertdrill.report.checks import of_replay
        from alertdrill.report.sweep_checks import of_sweep

        ci.write((*of_replay(found), *(of_sweep(found.sweep) if found.sweep is not None else ())))
    return EXIT_CODES[found.verdict]


def _no_rules(rules: Sequence[Path], settings: Sequence[str]) -> list[Mistake]:
    """Neither rules nor settings: nothing would be changed."""
    if rules or settings:
        return []
    fix = "give --rules FILE, or --set NAME=VALUE for the rules of the live drill"
    return [Mistake("--rules", "none", "what is to be changed", fix)]


def _no_plot(plot: Path | None, settings: Sequence[Setting]) -> list[Mistake]:
    """Why a plot cannot be drawn."""
    if plot is None:
        return []
    found = list(unwritable(plot, "--plot"))
    if plot.suffix not in PLOTS:
        found.append(Mistake("--plot", str(plot), f"a name that ends in {' or '.join(PLOTS)}", "rename it"))
    if not any(one.is_swept for one in settings):
        fix = "give a setting several, as in --set for=0s..10s/6"
        found.append(Mistake("--plot", str(plot), "a --set with several values", fix))
    return found


def check_source(
    recordings: Sequence[Path] | None,
    prometheus: str | None,
    of_a_past: Mapping[str, object],
    of_recordings: Mapping[str, object],
) -> None:
    """Raise BadInput unless there are either recordings or a Prometheus, with the options that belong to them."""
    if bool(recordings) == (prometheus is not None):
        got, expected = "both" if recordings else "neither", "recordings, or --prometheus URL"
        fix = "leave one out" if recordings else "name a folder of results/, or --prometheus URL"
        raise BadInput([Mistake("RECORDING… and --prometheus", got, expected, fix)])
    others, those = (of_a_past, "recordings") if prometheus is None else (of_recordings, "--prometheus")
    wanted = "--prometheus" if prometheus is None else "recordings"
    given = [name for name, value in others.items() if value]
    if given:
        fix = f"leave it out, or name {wanted} in place of {those}"
        raise BadInput([Mistake(name, f"it with {those}", f"{wanted} with it", fix) for name in given])


def unknown(fail_on: str) -> list[Mistake]:
    """Names after --fail-on that mean nothing."""
    known = ",".join(FAILURES)
    if fail_on == NOTHING:
        return []
    unknown = [name for name in fail_on.split(",") if name not in FAILURES]
    expected = f"of {known}, those that must not be, with commas between them, or {NOTHING}"
    return [
        Mistake("--fail-on", name or "nothing between commas", expected, f"write {nearest(name, FAILURES) or known}")
        for name in unknown
    ]
