"""Secrets blotted out of what servers say: some repeat what they were sent."""

from collections.abc import Collection

HIDDEN = "***"
SHORTEST_HIDDEN = 3


def blotted(text: str, secrets: Collection[str]) -> str:
    """A text with `***` in place of every secret, and of the login in one such as `Bearer LOGIN`."""
    logins = {word for secret in secrets for word in secret.split()[1:]}
    for one in sorted({*secrets, *logins}, key=len, reverse=True):
        if len(one) >= SHORTEST_HIDDEN:
            text = text.replace(one, HIDDEN)
    return text


def blotted_bytes(content: bytes, secrets: Collection[str]) -> bytes:
    """The same of the body of an answer."""
    return blotted(content.decode("latin-1"), secrets).encode("latin-1") if secrets else content
