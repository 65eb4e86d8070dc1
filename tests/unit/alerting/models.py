"""Schemas and choices for tests of rules and dashboards."""

from alertdrill.alerting.choices import read_choices
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

ID = Feature(name="id", kind=FeatureKind.CATEGORY, watched=False)
AMOUNT = Feature(name="amount", kind=FeatureKind.NUMBER)
COUNTRY = Feature(name="country", kind=FeatureKind.CATEGORY)

BOTH = Schema(features=(ID, AMOUNT, COUNTRY))
NUMBERS = Schema(features=(ID, AMOUNT))
CATEGORIES = Schema(features=(ID, COUNTRY, Feature(name="visits", kind=FeatureKind.INTEGER, watched=False)))

EVERYTHING = read_choices(
    [
        "labels,predictions,accuracy_check,quality:auc>=0.85,quality:rmse<=3,proxy:click_through>=0.02",
        "business:conversion>=0.02",
    ]
)
