from worded import alert, group, loaded, record

from alertdrill.core.replay.dependencies import Component, Place, Rules, close_readers, components


def place(rules: Rules, name: str) -> Place:
    return next(one for one in rules.places if rules[one].name == name)


def names(rules: Rules, component: Component) -> list[str]:
    return [rules[one].name for one in component.places]


def test_rules_that_do_not_read_one_another_stand_alone() -> None:
    rules = loaded(group(record("a:b", "x"), alert("A", "a:b > 1"), alert("B", "y > 1")))
    found = components(rules, rules.places)
    assert [names(rules, one) for one in found] == [["a:b", "A"], ["B"]]
    assert not any(one.singly for one in found)


def test_a_rule_that_reads_another_group_comes_after_it() -> None:
    rules = loaded(group(alert("A", "a:b > 1"), name="first"), group(record("a:b", "x"), name="second"))
    (found,) = components(rules, rules.places)
    assert names(rules, found) == ["a:b", "A"]
    assert not found.singly


def test_who_reads_a_later_rule_of_its_group_is_evaluated_singly_in_the_order_of_the_file() -> None:
    rules = loaded(group(alert("A", "a:b > 1"), record("a:b", "x")))
    (found,) = components(rules, rules.places)
    assert names(rules, found) == ["A", "a:b"]
    assert found.singly


def test_who_reads_itself_or_its_own_readers_is_entangled() -> None:
    rules = loaded(
        group(record("own:sum", "x + own:sum offset 1m"), name="own"),
        group(record("a:b", "b:a"), name="one"),
        group(record("b:a", "a:b"), name="other"),
        group(alert("A", "a:b > 1")),
    )
    assert {rules[one].name for one in rules.entangled} == {"own:sum", "a:b", "b:a"}


def test_an_alert_can_be_read_by_its_series() -> None:
    rules = loaded(
        group(
            alert("A", "x > 1", labels={"severity": "P1"}),
            alert("B", 'ALERTS{alertname="A", alertstate="firing"} == 1'),
            alert("C", 'ALERTS{severity="P0"} == 1'),
        )
    )
    assert rules.reads[place(rules, "B")] == {place(rules, "A")}
    assert place(rules, "A") not in rules.reads[place(rules, "C")]


def test_a_selector_without_name_may_read_any_rule_that_its_matchers_allow() -> None:
    rules = loaded(group(record("a:b", "x"), record("c:d", "y"), alert("A", '{__name__=~"a:.*"} > 1')))
    assert rules.reads[place(rules, "A")] == {place(rules, "a:b")}


def test_groups_evaluated_at_the_same_time_are_named_where_one_reads_the_other() -> None:
    rules = loaded(group(record("a:b", "x"), name="one"), group(alert("A", "a:b > 1"), name="other", interval_s=2.0))
    pair = (place(rules, "A"), place(rules, "a:b"))
    assert close_readers(rules, [(1000, 300), (2000, 1303)], 5) == (pair,)
    assert close_readers(rules, [(1000, 300), (2000, 1306)], 5) == ()
