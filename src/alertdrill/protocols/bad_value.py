"""The one error of a value that cannot be used."""


class BadValue(ValueError):
    """One value cannot be used. Raise it in a model's validator; the loader adds the path and the line.

    Attributes:
        expected: what can stand there.
        fix: what to write instead.
        got: what was found; None stands for the value itself.
        at: keys from the model that raises it down to the value, when the model itself is not the place.
        hidden: whether a secret may stand there, so that the file is not quoted.
    """

    def __init__(
        self, expected: str, fix: str, got: str | None = None, at: tuple[str | int, ...] = (), *, hidden: bool = False
    ) -> None:
        super().__init__(f"expected {expected}; fix: {fix}")
        self.expected = expected
        self.fix = fix
        self.got = got
        self.at = at
        self.hidden = hidden
