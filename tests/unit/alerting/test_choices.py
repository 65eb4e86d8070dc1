import pytest

from alertdrill.alerting.choices import Bound, Choices, read_choices
from alertdrill.core.errors import BadInput
from alertdrill.protocols.figures import KPI_NAME, Metric


def test_nothing_is_chosen_where_nothing_is_asked_for() -> None:
    assert read_choices(()) == Choices()


def test_options_can_be_repeated_or_joined_with_commas_and_have_blanks() -> None:
    apart = read_choices(["labels", "quality:auc>=0.85", "business:complaints <= 5e-2"])
    assert apart == read_choices([" labels , quality: auc >= 0.85,business:complaints<=0.05"])
    assert apart == Choices(
        labels=True, quality=(Bound("auc", True, 0.85),), business=(Bound("complaints", False, 0.05),)
    )


def test_a_bound_of_quality_brings_the_rules_on_labels_but_a_proxy_does_not() -> None:
    assert read_choices(["quality:auc>=0.85"]).labels
    assert read_choices(["accuracy_check"]) == Choices(labels=True, accuracy_check=True)
    assert not read_choices(["proxy:click_through>=0.02"]).labels


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "got nothing, expected one of labels, predictions, accuracy_check"),
        ("lables", "fix: write labels"),
        ("busines:conversion>=1", "fix: write business:conversion>=0.02"),
        ("quality", "fix: write quality:auc>=0.85"),
        ("quality:auc", "expected auc with >= and a number"),
        ("quality:auc>0.9", "fix: write quality:auc>=0.9"),
        ("quality:auc>=high", "expected auc with >= and a number"),
        ("quality:auc>=nan", "expected auc with >= and a number"),
        ("quality:>=0.9", "expected quality: with a name and a bound"),
        ("quality:acuracy>=0.9", "one of accuracy, precision, recall, f1, auc, rmse, mae after quality:"),
        ("quality:acuracy>=0.9", "fix: write quality:accuracy>=0.9"),
        ("quality:conversion>=0.9", "fix: write quality:auc>=0.85"),
        ("quality:rmse>=3", "fix: write quality:rmse<=3"),
        ("quality:mae", "expected mae with <= and a number"),
        ("quality:recall<=0.9", "fix: write quality:recall>=0.9"),
        ("proxy:clicks>=0.02", "expected one of positive_rate, click_through after proxy:"),
        ("proxy:click_trough>=0.02", "fix: write proxy:click_through>=0.02"),
        ("proxy:click_through<=0.02", "fix: write proxy:click_through>=0.02"),
        ("proxy:positive_rate", "fix: write proxy:positive_rate>=0.9, or proxy:positive_rate<=0.9"),
        ('business:a"b>=1', "letters, digits and _"),
        (f"business:{'a' * 65}>=1", "up to 64 letters"),
        ("labels:x>=1", "expected one of labels"),
        ("quality:auc>=0.8,quality:auc>=0.9", "one bound for auc"),
    ],
)
def test_a_choice_that_is_none_is_refused_with_what_to_write(text: str, says: str) -> None:
    with pytest.raises(BadInput) as error:
        read_choices([text])
    assert says in str(error.value)


@pytest.mark.parametrize("metric", Metric)
def test_every_figure_of_quality_can_be_bounded_on_its_good_side_alone(metric: Metric) -> None:
    for side in (">=", "<="):
        if metric.worse(0.4, 0.5) == (side == ">="):
            assert read_choices([f"quality:{metric}{side}0.5"]).quality == (Bound(metric.value, side == ">=", 0.5),)
        else:
            with pytest.raises(BadInput):
                read_choices([f"quality:{metric}{side}0.5"])


def test_a_rate_of_positives_can_be_too_low_or_too_high() -> None:
    assert read_choices(["proxy:positive_rate>=0.01"]).proxy == (Bound("positive_rate", True, 0.01),)
    assert read_choices(["proxy:positive_rate<=0.2"]).proxy == (Bound("positive_rate", False, 0.2),)


def test_a_kpi_has_any_name_that_can_be_posted() -> None:
    longest = "a" * 64
    assert KPI_NAME.fullmatch(longest)
    assert read_choices([f"business:{longest}>=1"]).business == (Bound(longest, True, 1.0),)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(BadInput) as error:
        read_choices(["lables", "quality", "labels,proxy:x"])
    assert [mistake.got for mistake in error.value.mistakes] == ["lables", "quality", "proxy:x"]
