"""Has promtool check rule files before a drill starts, and says where in which file it found what."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from alertdrill.core.errors import BadInput, Mistake

TIMEOUT_S = 60.0
_POSITION = re.compile(r"^(?:\d+:\d+: )*?([1-9]\d*):(\d+): ")
_NO_POSITION = re.compile(r"^(?:\d+:\d+: )+")
_YAML_LINE = re.compile(r"\bline (\d+):")
_RULE = re.compile(r'rule \d+, "([^"]+)"')
_QUOTED = re.compile(r'"([^"]+)"')


class RulesRefused(BadInput):
    """Rule files that promtool refuses: every problem of every file."""


def check_rules(promtool: Path, files: Sequence[Path]) -> None:
    """Return if promtool accepts all the rule files.

    Args:
        promtool: the program.
        files: rule files; shown in the message as they are given.

    Raises:
        RulesRefused: with file, line (where promtool or the file tells) and promtool's own words, for all the files.
    """
    unreadable = [mistake for file in files if (mistake := _unreadable(file))]
    readable = [file for file in files if _unreadable(file) is None]
    found = _checked(promtool, readable) if readable else []
    if unreadable or found:
        raise RulesRefused([*unreadable, *found])


def run_tests(promtool: Path, file: Path) -> str | None:
    """What is wrong with a file of unit tests, in promtool's words; None if it passes.

    Args:
        promtool: the program.
        file: the tests; the rule files that they name lie beside it.
    """
    command = [str(promtool), "test", "rules", file.name]
    try:
        done = subprocess.run(
            command, cwd=file.parent, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=TIMEOUT_S,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if done.returncode == 0 else (done.stderr + done.stdout).strip()


def _unreadable(file: Path) -> Mistake | None:
    fix = "write the path of a rule file"
    if not file.exists():
        return Mistake(where="rules", got="no such file", expected="a rule file", fix=fix, file=str(file))
    if not file.is_file():
        return Mistake(where="rules", got="a directory", expected="a rule file", fix=fix, file=str(file))
    try:
        file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return Mistake(where="rules", got=str(error), expected="a readable text file", fix=fix, file=str(file))
    return None


def _checked(promtool: Path, files: Sequence[Path]) -> list[Mistake]:
    command = [str(promtool), "check", "rules", "--", *(str(file) for file in files)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return [Mistake(where="promtool", got=str(error), expected="an answer", fix=f"try: {' '.join(command)}")]
    if done.returncode == 0:
        return []
    problems = parse_problems(done.stderr, files)
    if problems:
        return problems
    said = (done.stderr + done.stdout).strip()
    return [Mistake(where="promtool", got=said, expected="rules that it accepts", fix=f"try: {' '.join(command)}")]


def parse_problems(stderr: str, files: Sequence[Path]) -> list[Mistake]:
    """The problems in what `promtool check rules` wrote to standard error, each once, in its order.

    Args:
        stderr: blocks that start with `FAILED:`; a problem starts with the path of its file, and goes on in indented
            lines.
        files: the files that were checked, as promtool was given them.
    """
    problems: dict[tuple[Path, str], None] = {}
    current: tuple[Path, list[str]] | None = None
    for line in [*stderr.splitlines(), "  FAILED:"]:
        owner = next((file for file in files if line.startswith(f"{file}: ")), None)
        if current and (owner or line.strip() == "FAILED:"):
            problems[current[0], "\n".join(current[1])] = None
            current = None
        if owner:
            current = owner, [line.removeprefix(f"{owner}: ")]
        elif current and line.strip():
            current[1].append(line.strip())
    return [_mistake(file, text) for file, text in problems]


def _mistake(file: Path, text: str) -> Mistake:
    lines = file.read_text(encoding="utf-8").splitlines()
    position = _POSITION.match(text)
    line = int(position[1]) if position else _line_of(text, lines)
    column = int(position[2]) if position else None
    words = _NO_POSITION.sub("", text.replace("yaml: unmarshal errors:\n", ""))
    return Mistake(
        where="rules",
        got=words.replace("\n", "; "),
        expected="rules that promtool accepts",
        fix=f"correct the file, then: promtool check rules {file}",
        line=line,
        column=column,
        source=lines[line - 1] if line and column and line <= len(lines) else None,
        file=str(file),
    )


def _line_of(text: str, lines: Sequence[str]) -> int | None:
    """The line that a message without a position is about: where its rule, or what it quotes, stands in the file."""
    yaml_line = _YAML_LINE.search(text)
    if yaml_line:
        return int(yaml_line[1])
    names = [rf"(alert|record):\s*[\"']?{re.escape(name)}\b" for name in _RULE.findall(text)]
    for pattern in [*names, *(re.escape(quoted) for quoted in _QUOTED.findall(text))]:
        matching = [number for number, line in enumerate(lines, 1) if re.search(pattern, line)]
        if matching:
            return matching[0]
    return None
