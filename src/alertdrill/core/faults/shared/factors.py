"""Factors that change what they multiply."""

from pydantic import AfterValidator

from alertdrill.core.errors import BadValue


def other_than_1(examples: str) -> AfterValidator:
    """Refuses a factor of 1, and says what to write, such as `10 or 0.5`."""

    def check(factor: float) -> float:
        if factor == 1:
            raise BadValue("a factor other than 1", f"write {examples}, say; for a control write share: 0")
        return factor

    return AfterValidator(check)
