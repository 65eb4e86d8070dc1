"""How a later judgement differs from result.json, for a terminal."""

import json
from typing import Any

from rich.text import Text

from alertdrill.core.revision import Revision

SHOWN = 20
SHOWN_CHARACTERS = 60


def revision_text(revision: Revision | None, version: str) -> Text:
    """A sentence, and a line for each field that differs, the first twenty."""
    if revision is None:
        return Text(f"result.json is what this evidence gives (alertdrill {version})", style="dim")
    count = len(revision.changes)
    fields = "1 field" if count == 1 else f"{count} fields"
    text = Text(f"judged differently in {fields}: {_who(revision)}", style="yellow")
    for one in revision.changes[:SHOWN]:
        text.append(f"\n  {one.field}: {_value(one.before)} → {_value(one.after)}")
    if count > SHOWN:
        text.append(f"\n  … and {count - SHOWN} more")
    return text.append("\nresult.json is kept; all of it is in result.diff.json. Remove result.json to have it anew.")


def _who(revision: Revision) -> str:
    if revision.judged_before_by == revision.judged_again_by:
        return f"alertdrill {revision.judged_again_by} gave another result.json, so a file was changed since"
    before = revision.judged_before_by or "a version that did not say"
    return f"alertdrill {before} wrote result.json, {revision.judged_again_by} judges now"


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
