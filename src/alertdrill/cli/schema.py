"""`alertdrill schema`: the JSON Schema of a file, for editors and other programs."""

import sys

from alertdrill.core.errors import BadInput, Mistake, nearest
from alertdrill.report.schema import SCHEMAS


def show_schema(name: str) -> int:
    """Print the JSON Schema of a file, in UTF-8 whatever the terminal's encoding: the bytes of docs/schema.

    Raises:
        BadInput: there is no schema of that name.
    """
    schema = SCHEMAS.get(name)
    if schema is None:
        near = nearest(name, SCHEMAS)
        known = ", ".join(SCHEMAS)
        raise BadInput([Mistake("schema", name, known, f"write {near or known}")])
    sys.stdout.buffer.write(schema().encode())
    sys.stdout.buffer.flush()
    return 0
