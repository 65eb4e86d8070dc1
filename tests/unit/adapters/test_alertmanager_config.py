from pathlib import Path

import pytest
import yaml

from alertdrill.adapters.alertmanager_config import MINIMAL, read_config, read_routing, refused

TEAM = """\
global:
  resolve_timeout: 3m
  smtp_smarthost: smtp.example.com:587
  smtp_from: &from alerts@example.com
  smtp_auth_password: s3cret
  slack_api_url: https://hooks.slack.example.com/s3cret
templates: [mail.tmpl, /abs/*.tmpl]
route:
  receiver: fallback
  group_by: [alertname]
  group_wait: 17s
  routes:
    - matchers: [severity=~"P0|P1"]
      receiver: pager.1
      group_wait: 0s
      continue: true
    - match: {severity: P1}
      receiver: mail
      mute_time_intervals: [nights]
inhibit_rules: [{source_matchers: [severity="P0"], target_matchers: [severity="P1"], equal: [model]}]
time_intervals:
  - name: nights
    time_intervals: [{times: [{start_time: 17:00, end_time: '24:00'}], years: ['2020:2021']}]
receivers:
  - name: fallback
  - name: pager.1
    pagerduty_configs: [{routing_key: s3cret, send_resolved: no}]
    slack_configs: [{channel: '#x', http_config: {proxy_url: 'http://s3cret'}}]
    webhook_configs: [{url: 'http://s3cret'}]
  - name: mail
    email_configs:
      - {to: team@example.com, from: *from, headers: {Subject: 'Hi {{ .Status }}'}, auth_password: s3cret,
         html: '{{ template "x" . }}', smarthost: 'smtp.example.com:25'}
"""


@pytest.fixture
def rewritten():
    text = read_config(TEAM, Path("/team")).rewritten("http://127.0.0.1:9", "127.0.0.1:25")
    return text, yaml.load(text, Loader=yaml.BaseLoader)


def test_nothing_of_a_team_that_could_lead_to_people_is_left(rewritten):
    text, tree = rewritten
    for word in ("s3cret", "smtp.example.com", "slack.example.com"):
        assert word not in text
    assert tree["global"] == {"resolve_timeout": "3m", "smtp_from": "alerts@example.com"}


def test_routes_inhibition_and_time_intervals_stay_as_they_are(rewritten):
    before = yaml.load(TEAM, Loader=yaml.BaseLoader)
    for key in ("route", "inhibit_rules", "time_intervals"):
        assert rewritten[1][key] == before[key]
    assert "continue: true\n" in rewritten[0]


def test_names_of_receivers_stay_and_one_that_tells_nobody_goes_on_doing_so(rewritten):
    assert [one["name"] for one in rewritten[1]["receivers"]] == ["fallback", "pager.1", "mail"]
    assert set(rewritten[1]["receivers"][0]) == {"name"}


def test_every_integration_becomes_a_webhook_that_says_whose_and_what_it_was(rewritten):
    hooks = rewritten[1]["receivers"][1]["webhook_configs"]
    assert [one["url"].removeprefix("http://127.0.0.1:9/") for one in hooks] == ["1/pagerduty", "1/slack", "1/webhook"]
    assert [one["send_resolved"] for one in hooks] == ["no", "false", "true"]


def test_an_email_keeps_recipients_headers_and_templates(rewritten):
    (mail,) = rewritten[1]["receivers"][2]["email_configs"]
    assert (mail["to"], mail["html"], mail["headers"]["Subject"]) == (
        "team@example.com",
        '{{ template "x" . }}',
        "Hi {{ .Status }}",
    )
    assert (mail["smarthost"], mail["require_tls"], mail["headers"]["X-Alertdrill-Receiver"]) == (
        "127.0.0.1:25",
        "false",
        "2",
    )


def test_paths_of_templates_become_absolute(rewritten):
    assert rewritten[1]["templates"] == ["/team/mail.tmpl", "/abs/*.tmpl"]


def test_what_was_rewritten_is_said():
    assert [*read_config(TEAM, Path()).changes()] == [
        "receiver fallback: notifies nobody, as written",
        "receiver pager.1: pagerduty, slack, webhook: delivered to alertdrill instead",
        "receiver mail: email to team@example.com: delivered to alertdrill instead",
    ]


def test_the_routing_is_read_with_what_routes_have_from_their_parents():
    routing = read_routing(TEAM)
    assert routing.reached({"severity": "P1"}) == ("pager.1", "mail")
    assert routing.reached({}) == ("fallback",)
    assert [routing.group_wait_s({"severity": "P1"}, one) for one in ("pager.1", "mail")] == [0.0, 17.0]
    assert routing.leaves({"severity": "P1"})[1].muted_at == ("nights",)
    assert routing.receivers["pager.1"] == ("pagerduty", "slack", "webhook")


def test_our_minimal_configuration_tells_the_pager_of_every_alert_at_once():
    routing = read_routing(MINIMAL)
    assert (routing.reached({"a": "b"}), routing.group_wait_s({}, "pager")) == (("pager",), 0.0)


@pytest.mark.parametrize("text", ["", "[]", "route: {}", "route: {receiver: a}\nreceivers: 1", "a: [", "receivers: []"])
def test_what_is_no_configuration_is_an_error(text):
    with pytest.raises(ValueError, match="no configuration"):
        read_routing(text)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("Checking 'a.yml'  FAILED: yaml: unmarshal errors:\n  line 3: field x not found in type config.plain\n", 3),
        ("Checking 'a.yml'  FAILED: undefined receiver \"pagr\" used in route\n", 2),
        ("Checking 'a.yml'  FAILED: bad matcher format: a~b\n", 4),
        ("Checking 'a.yml'  SUCCESS\nFound:\n - route\n  FAILED: template: a.tmpl:2: unclosed action\n", None),
    ],
)
def test_what_amtool_says_gets_its_line(said, line):
    (mistake,) = refused(Path("a.yml"), said, ["route:", "  receiver: pagr", "  x: 1", "  matchers: [a~b]"]).mistakes
    assert mistake.line == line
    assert "SUCCESS" not in mistake.got
