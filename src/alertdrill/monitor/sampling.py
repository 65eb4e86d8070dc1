"""Which exchanges belong to a share of all: by a hash of their ids, so that whoever sees an id decides alike."""

from hashlib import blake2b


def is_sampled(identity: str, share: float) -> bool:
    """Whether an id belongs to the share (0 to 1), by the first 8 bytes of its BLAKE2b hash."""
    if share >= 1.0:
        return True
    digest = blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * 2.0**64
