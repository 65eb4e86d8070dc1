import json
from pathlib import Path

import pytest

from alertdrill.adapters.prometheus_config import ScrapeJob, configuration, prometheus_duration, targets_text
from alertdrill.adapters.prometheus_posting import Posting
from alertdrill.core.errors import BadInput


def test_the_configuration_refers_to_rules_by_their_own_path_and_to_targets_by_file():
    text = configuration(
        jobs={Path("/d/targets-0.json"): ScrapeJob("model", path="/m", interval_s=0.2)},
        rule_files=[Path("/home/u/rules/alerts[1].yml")],
        scrape_interval_s=1,
        evaluation_interval_s=0.5,
        alertmanagers=[Posting("127.0.0.1:9")],
        external_labels={"cluster": "a"},
    )
    assert json.loads(text) == {
        "global": {"scrape_interval": "1s", "evaluation_interval": "500ms", "external_labels": {"cluster": "a"}},
        "rule_files": ["/home/u/rules/alerts\\[1].yml"],
        "scrape_configs": [
            {
                "job_name": "model",
                "metrics_path": "/m",
                "scheme": "http",
                "file_sd_configs": [{"files": ["/d/targets-0.json"]}],
                "scrape_interval": "200ms",
            }
        ],
        "alerting": {
            "alertmanagers": [{"api_version": "v2", "timeout": "2s", "static_configs": [{"targets": ["127.0.0.1:9"]}]}]
        },
    }


def test_without_receivers_nothing_is_posted():
    text = configuration(jobs={}, rule_files=[], scrape_interval_s=1, evaluation_interval_s=1)
    assert "alerting" not in json.loads(text)


def test_an_alertmanager_can_have_a_scheme_and_a_path_prefix():
    receivers = [Posting("127.0.0.1:9"), Posting("https://am.example.com/prefix")]
    text = configuration(jobs={}, rule_files=[], scrape_interval_s=1, evaluation_interval_s=1, alertmanagers=receivers)
    plain, other = json.loads(text)["alerting"]["alertmanagers"]
    assert plain == {"api_version": "v2", "timeout": "2s", "static_configs": [{"targets": ["127.0.0.1:9"]}]}
    assert (other["scheme"], other["path_prefix"]) == ("https", "/prefix")
    assert other["static_configs"] == [{"targets": ["am.example.com"]}]


def test_a_job_can_be_made_from_an_address():
    job = ScrapeJob.from_url("node", "https://127.0.0.1:9100/probe?module=a&module=b", {"team": "x"})
    assert (job.targets, job.path, job.scheme, job.params) == (
        ("127.0.0.1:9100",),
        "/probe",
        "https",
        {"module": ["a", "b"]},
    )
    assert ScrapeJob.from_url("node", "http://127.0.0.1:9100").path == "/metrics"


@pytest.mark.parametrize("url", ["127.0.0.1:9100", "ftp://x/metrics", "http://", "http://user:secret@host/metrics"])
def test_other_addresses_are_refused(url):
    with pytest.raises(BadInput, match="fix: "):
        ScrapeJob.from_url("node", url)


def test_durations_are_whole_seconds_or_milliseconds():
    assert [prometheus_duration(s) for s in (1.0, 0.25, 90, 1.5, 0.0)] == ["1s", "250ms", "90s", "1500ms", "1ms"]


def test_no_address_is_no_target():
    assert json.loads(targets_text([], {"a": "b"})) == []
    assert json.loads(targets_text(["h:1"], {"a": "b"})) == [{"targets": ["h:1"], "labels": {"a": "b"}}]
