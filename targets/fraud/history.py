"""What the bank knows about a card before a transaction: the record that the feature store keeps."""

from dataclasses import dataclass
from typing import Self

import orjson


@dataclass(frozen=True)
class History:
    """History of one card.

    Attributes:
        home_country: ISO 3166 code of the holder's country; None when the history is a default.
        usual_device: platform that the holder pays from; None when the history is a default.
        mean_amount_30d: mean amount of the last 30 days, EUR, above 0.
        card_age_days: days since the card was issued.
        chargebacks_90d: payments that the holder disputed in the last 90 days.
    """

    home_country: str | None
    usual_device: str | None
    mean_amount_30d: float
    card_age_days: int
    chargebacks_90d: int

    @classmethod
    def from_json(cls, body: bytes) -> Self:
        """The record of a feature store's answer.

        Raises:
            ValueError: the body is not JSON, not an object, lacks a key or holds a value of another type.
        """
        try:
            record = orjson.loads(body)
            history = cls(
                record["home_country"],
                record["usual_device"],
                float(record["mean_amount_30d"]),
                int(record["card_age_days"]),
                int(record["chargebacks_90d"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a card history: {error!r}") from error
        if not history.mean_amount_30d > 0:
            raise ValueError(f"mean_amount_30d: got {history.mean_amount_30d}, expected more than 0")
        return history
