from prometheus_client.parser import text_string_to_metric_families

from alertdrill.monitor.exposition import header, key, lines, number


def test_label_values_survive_escaping() -> None:
    awkward = 'a "quoted" \\ back\nslash é'
    text = header("m", "gauge", "A metric.") + "".join(lines([key("m", {"cell": awkward})], [1.5]))
    (family,) = text_string_to_metric_families(text)
    assert family.type == "gauge"
    assert family.samples[0].labels == {"cell": awkward}
    assert family.samples[0].value == 1.5


def test_numbers_keep_every_digit_and_special_values_are_spelled_as_prometheus_does() -> None:
    assert [number(v) for v in (3, 0.1 + 0.2, 1e300)] == ["3", "0.30000000000000004", "1e+300"]
    assert [number(v) for v in (float("inf"), float("-inf"), float("nan"))] == ["+Inf", "-Inf", "NaN"]
