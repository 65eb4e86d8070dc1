import math

import numpy as np
import pytest

from alertdrill.adapters import prometheus_answers as answers

GROUP = {
    "name": "g",
    "file": "/r.yml",
    "interval": 0.2,
    "lastEvaluation": "2026-11-22T18:00:52.555123456Z",
    "rules": [
        {
            "name": "A",
            "type": "alerting",
            "query": "up == 0",
            "duration": 2,
            "labels": {"severity": "P0"},
            "health": "ok",
        },
        {"name": "r", "type": "recording", "query": "up", "health": "err", "lastError": "boom"},
    ],
}


@pytest.mark.parametrize(
    ("text", "seconds"), [("1s", 1), ("200ms", 0.2), ("1m30s", 90), ("1h", 3600), ("0s", 0), ("2d", 172800)]
)
def test_durations_are_read(text, seconds):
    assert answers.duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "s", "1 s", "1.5s"])
def test_other_text_is_no_duration(text):
    with pytest.raises(ValueError, match="not a duration"):
        answers.duration_s(text)


def test_times_with_nanoseconds_are_read_and_gos_zero_time_means_never():
    assert answers.unix_time("2026-11-22T18:00:52.555123456Z") == pytest.approx(1795370452.555123, abs=1e-6)
    assert answers.unix_time("0001-01-01T00:00:00Z") is None


def test_raw_samples_are_exact_to_the_millisecond():
    (series,) = answers.matrix(
        [
            {
                "metric": {"__name__": "m"},
                "values": [[1790000000.123, "1"], [1790000001.999, "NaN"], [1790000002, "+Inf"]],
            }
        ]
    )
    assert series.times_ms.tolist() == [1790000000123, 1790000001999, 1790000002000]
    assert series.times_ms.dtype == np.int64
    assert series.values[0] == 1
    assert math.isnan(series.values[1])
    assert series.values[2] == math.inf


def test_native_histograms_are_refused_rather_than_left_out():
    with pytest.raises(ValueError, match="native histogram"):
        answers.matrix([{"metric": {"__name__": "h"}, "histograms": []}])


def test_a_vector_has_labels_and_a_scalar_has_none():
    assert answers.vector([{"metric": {"a": "b"}, "value": [1, "2"]}]) == [({"a": "b"}, 2.0)]
    assert answers.vector([1790000000.1, "7"]) == [({}, 7.0)]
    assert answers.vector([]) == []


def test_rules_that_leave_out_what_they_do_not_have_are_whole():
    (group,) = answers.rule_groups({"groups": [GROUP]})
    alert, record = group.rules
    assert (group.file, group.interval_s) == ("/r.yml", 0.2)
    assert (alert.for_s, alert.keep_firing_for_s, alert.labels, alert.annotations) == (2, 0, {"severity": "P0"}, {})
    assert (record.type, record.health, record.last_error) == ("recording", "err", "boom")


def test_self_metrics_are_picked_from_the_exposition():
    text = (
        "# TYPE go_goroutines gauge\ngo_goroutines 30\nprocess_start_time_seconds 1.79e+09\n"
        'prometheus_rule_evaluation_failures_total{rule_group="/r.yml;g"} 3\n'
        'prometheus_notifications_dropped_total{alertmanager="a"} 1\n'
        'prometheus_notifications_dropped_total{alertmanager="b"} 2\n'
    )
    metrics = answers.self_metrics(text)
    assert metrics.process_start == 1.79e9
    assert metrics.evaluation_failures == {"/r.yml;g": 3}
    assert (metrics.notifications_dropped, metrics.last_reload_succeeded, metrics.missed_iterations) == (3, None, {})


def test_an_exposition_of_something_else_is_refused():
    with pytest.raises(ValueError, match="process_start_time_seconds"):
        answers.self_metrics("<html>\n")


def test_victoria_metrics_says_how_often_it_scrapes_in_a_label_alone():
    """As version 1.79.5 of Debian answered /api/v1/targets."""
    target = {
        "discoveredLabels": {"__address__": "m:1", "__scrape_interval__": "15s", "__scrape_timeout__": "10s"},
        "labels": {"instance": "m:1", "job": "self"},
        "scrapePool": "self",
        "scrapeUrl": "http://m:1/metrics",
        "lastError": "",
        "lastScrape": "2026-11-23T16:21:22.478Z",
        "lastScrapeDuration": 0.003,
        "lastSamplesScraped": 806,
        "health": "up",
    }
    (found,) = answers.targets({"activeTargets": [target], "droppedTargets": []})
    assert (found.interval_s, found.timeout_s) == (15.0, 10.0)


def test_markers_that_are_shown_as_nan_are_no_samples():
    (series,) = answers.matrix([{"metric": {}, "values": [[1, "1"], [2, "NaN"], [3, "0"]]}])
    assert answers.without_markers(series).times_ms.tolist() == [1000, 3000]


@pytest.mark.parametrize(("value", "reloaded"), [("1", True), ("0", False)])
def test_vmalert_says_under_its_own_name_whether_it_could_load_its_rules(value, reloaded):
    page = f"process_start_time_seconds 1795453240\nvmalert_config_last_reload_successful {value}\n"
    assert answers.self_metrics(page).last_reload_succeeded is reloaded
    assert answers.self_metrics("process_start_time_seconds 1\n").last_reload_succeeded is None
