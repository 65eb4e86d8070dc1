"""Reads some of the answers as the protocol has them: a target that answers 200 with a login page predicts nothing."""

from collections.abc import Collection

from alertdrill.core.blotted import blotted_bytes
from alertdrill.protocols.base import Protocol

READ_EVERY = 50  # the answers to requests whose number this divides are read, the same in every run
LARGEST_READ_BYTES = 1 << 16
LONGEST_EXAMPLE = 120


def is_chosen(index: int) -> bool:
    """Whether the answer to a request is read, if it can be."""
    return not index % READ_EVERY


def is_readable(status: int, size: int) -> bool:
    """Whether the body of an answer can be a prediction: errors are none, and nobody keeps very long ones."""
    return 200 <= status < 300 and size <= LARGEST_READ_BYTES


def why_unreadable(protocol: Protocol, body: bytes, secrets: Collection[str] = ()) -> str | None:
    """What an answer is instead of a prediction, in at most two hundred characters; None if it can be one.

    Args:
        protocol: of the target.
        body: of the answer.
        secrets: that were sent with the request, and are not shown.
    """
    body = blotted_bytes(body, secrets)
    why = protocol.why_none(body)
    if why is None:
        return None
    begin = body[:LONGEST_EXAMPLE].decode("utf-8", "replace")
    what = " ".join("".join(character if character.isprintable() else " " for character in begin).split())
    return f"{what!r}: {why}"[:200] if what else "nothing"
