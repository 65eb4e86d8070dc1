"""Every fault there is, by kind."""

from collections.abc import Mapping
from typing import Annotated, get_args

from pydantic import Field

from alertdrill.core.faults.arrival.retry_storm import RetryStorm
from alertdrill.core.faults.arrival.surge import Surge
from alertdrill.core.faults.arrival.traffic_loss import TrafficLoss
from alertdrill.core.faults.base import Fault
from alertdrill.core.faults.body.byte_order_mark import ByteOrderMark
from alertdrill.core.faults.body.deeply_nested import DeeplyNested
from alertdrill.core.faults.body.duplicate_keys import DuplicateKeys
from alertdrill.core.faults.body.empty_body import EmptyBody
from alertdrill.core.faults.body.extra_field import ExtraField
from alertdrill.core.faults.body.malformed_json import MalformedJson
from alertdrill.core.faults.body.oversized_body import OversizedBody
from alertdrill.core.faults.body.renamed_field import RenamedField
from alertdrill.core.faults.body.wrong_batch_shape import WrongBatchShape
from alertdrill.core.faults.body.wrong_content_type import WrongContentType
from alertdrill.core.faults.exchange.black_hole import BlackHole
from alertdrill.core.faults.exchange.connection_reset import ConnectionReset
from alertdrill.core.faults.exchange.corrupted_answer import CorruptedAnswer
from alertdrill.core.faults.exchange.http_error import HttpError
from alertdrill.core.faults.exchange.latency import Latency
from alertdrill.core.faults.exchange.rate_limited import RateLimited
from alertdrill.core.faults.exchange.slow_answer import SlowAnswer
from alertdrill.core.faults.exchange.slow_upload import SlowUpload
from alertdrill.core.faults.exchange.stuck_answer import StuckAnswer
from alertdrill.core.faults.exchange.truncated_answer import TruncatedAnswer
from alertdrill.core.faults.row.casing import Casing
from alertdrill.core.faults.row.category_shift import CategoryShift
from alertdrill.core.faults.row.clock_offset import ClockOffset
from alertdrill.core.faults.row.decimal_comma import DecimalComma
from alertdrill.core.faults.row.empty_string import EmptyString
from alertdrill.core.faults.row.feature_swap import FeatureSwap
from alertdrill.core.faults.row.frozen_feature import FrozenFeature
from alertdrill.core.faults.row.future_timestamp import FutureTimestamp
from alertdrill.core.faults.row.gaussian_noise import GaussianNoise
from alertdrill.core.faults.row.mean_shift import MeanShift
from alertdrill.core.faults.row.missing_key import MissingKey
from alertdrill.core.faults.row.mojibake import Mojibake
from alertdrill.core.faults.row.noop import Noop
from alertdrill.core.faults.row.not_a_number import NotANumber
from alertdrill.core.faults.row.not_available import NotAvailable
from alertdrill.core.faults.row.nulls import Nulls
from alertdrill.core.faults.row.number_as_string import NumberAsString
from alertdrill.core.faults.row.number_overflow import NumberOverflow
from alertdrill.core.faults.row.out_of_range import OutOfRange
from alertdrill.core.faults.row.outliers import Outliers
from alertdrill.core.faults.row.rounding import Rounding
from alertdrill.core.faults.row.saturation import Saturation
from alertdrill.core.faults.row.scale import Scale
from alertdrill.core.faults.row.sentinel import Sentinel
from alertdrill.core.faults.row.shuffled_feature import ShuffledFeature
from alertdrill.core.faults.row.stale_feature import StaleFeature
from alertdrill.core.faults.row.thousands_separator import ThousandsSeparator
from alertdrill.core.faults.row.typos import Typos
from alertdrill.core.faults.row.uniform_noise import UniformNoise
from alertdrill.core.faults.row.unit_change import UnitChange
from alertdrill.core.faults.row.unseen_category import UnseenCategory
from alertdrill.core.faults.row.variance import Variance
from alertdrill.core.faults.row.whitespace import Whitespace
from alertdrill.core.faults.row.wrong_date_format import WrongDateFormat
from alertdrill.core.faults.row.wrong_type import WrongType
from alertdrill.core.faults.sample.duplicates import Duplicates
from alertdrill.core.faults.sample.prior_shift import PriorShift
from alertdrill.core.faults.sample.replayed_rows import ReplayedRows
from alertdrill.core.faults.sample.vanished_slice import VanishedSlice

AnyFault = (
    BlackHole
    | ByteOrderMark
    | Casing
    | CategoryShift
    | ClockOffset
    | ConnectionReset
    | CorruptedAnswer
    | DecimalComma
    | DeeplyNested
    | DuplicateKeys
    | Duplicates
    | EmptyBody
    | EmptyString
    | ExtraField
    | FeatureSwap
    | FrozenFeature
    | FutureTimestamp
    | GaussianNoise
    | HttpError
    | Latency
    | MalformedJson
    | MeanShift
    | MissingKey
    | Mojibake
    | Noop
    | NotANumber
    | NotAvailable
    | Nulls
    | NumberAsString
    | NumberOverflow
    | OutOfRange
    | Outliers
    | OversizedBody
    | PriorShift
    | RateLimited
    | RenamedField
    | ReplayedRows
    | RetryStorm
    | Rounding
    | Saturation
    | Scale
    | Sentinel
    | ShuffledFeature
    | SlowAnswer
    | SlowUpload
    | StaleFeature
    | StuckAnswer
    | Surge
    | ThousandsSeparator
    | TrafficLoss
    | TruncatedAnswer
    | Typos
    | UniformNoise
    | UnitChange
    | UnseenCategory
    | VanishedSlice
    | Variance
    | Whitespace
    | WrongBatchShape
    | WrongContentType
    | WrongDateFormat
    | WrongType
)  # fmt: skip

FaultSpec = Annotated[AnyFault, Field(discriminator="kind")]
"""One fault, told apart by `kind`."""

KINDS: Mapping[str, type[Fault]] = {
    get_args(fault.model_fields["kind"].annotation)[0]: fault for fault in get_args(AnyFault)
}
