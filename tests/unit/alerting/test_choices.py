import pytest

from alertdrill.alerting.choices import Bound, Choices, read_choices
from alertdrill.core.errors import BadInput


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
        ("quality:auc", "the name with >= or <= and a number"),
        ("quality:auc>0.9", "fix: write quality:auc>=0.9"),
        ("quality:auc>=high", "the name with >= or <= and a number"),
        ("quality:auc>=nan", "the name with >= or <= and a number"),
        ('business:a"b>=1', "letters, digits, _"),
        ("labels:x>=1", "expected one of labels"),
        ("quality:auc>=0.8,quality:auc>=0.9", "one bound for auc"),
    ],
)
def test_a_choice_that_is_none_is_refused_with_what_to_write(text: str, says: str) -> None:
    with pytest.raises(BadInput) as error:
        read_choices([text])
    assert says in str(error.value)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(BadInput) as error:
        read_choices(["lables", "quality", "labels,proxy:x"])
    assert [mistake.got for mistake in error.value.mistakes] == ["lables", "quality", "proxy:x"]
