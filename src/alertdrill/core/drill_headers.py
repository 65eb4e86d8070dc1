"""The headers by which operators, proxies and middleware tell a drill's requests: whose they are and which they are."""

RUN_HEADER = b"x-alertdrill-run"
SEQ_HEADER = b"x-alertdrill-seq"
_DIGITS = 15


def read_seq(value: bytes) -> tuple[int, int] | None:
    """Segment k and index i of a request numbered `k.i`; None if the value is not of that form."""
    k, _, i = value.partition(b".")
    if not (k.isdigit() and i.isdigit() and len(k) <= _DIGITS and len(i) <= _DIGITS):
        return None
    return int(k), int(i)
