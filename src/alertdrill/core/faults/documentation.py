"""What the docstring of a fault says, part by part, for its page in docs/faults and for `alertdrill faults KIND`."""

import inspect

from alertdrill.core.faults.base import Fault

HEADINGS = ("What it does", "Why it matters", "Should trigger", "Example", "References")
"""What the docstring of every fault has, in this order."""


class Undocumented(Exception):
    """A fault's docstring lacks something."""


def sections(fault: type[Fault]) -> dict[str, str]:
    """The parts of a fault's docstring: its first line under `""`, and the text under each of `HEADINGS`.

    Raises:
        Undocumented: the first line or a heading is missing, empty or out of place.
    """
    first, *lines = (inspect.getdoc(fault) or "").splitlines() or [""]
    found: dict[str, list[str]] = {}
    for line in lines:
        if line.endswith(":") and not line.startswith(" "):
            found[line[:-1]] = []
        elif found:
            found[list(found)[-1]].append(line.removeprefix("    "))
    texts = {heading: "\n".join(text).strip() for heading, text in found.items()}
    if not first or tuple(texts) != HEADINGS or not all(texts.values()):
        have = ", ".join(name for name, text in texts.items() if text) or "none"
        raise Undocumented(
            f"{fault.__module__}.{fault.__name__}: docstring\n"
            f"  got the headings {have}; expected one line on what it does, then {', '.join(HEADINGS)}\n"
            f"  fix: fill them as in noop.py"
        )
    return {"": first, **texts}
