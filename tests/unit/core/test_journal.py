import pytest
from drill import T0_S, Drill

from alertdrill.core import journal as records
from alertdrill.core.journal import from_lines, to_line
from alertdrill.core.result import Code, Reason
from alertdrill.core.routing import Route, Routing, parse_matchers

NOT_HELD = Reason(code=Code.SERIES_NOT_RECORDED, text="the recording lacks x", decide_it_by="run the drill again")
CHILD = Route(receiver="mail", matchers=parse_matchers('a=~"b|c"'), goes_on=True)
ROUTING = Routing(route=Route(receiver="pager", routes=(CHILD,)), receivers={"pager": ("webhook",), "mail": ("email",)})


def every_kind() -> list[records.Record]:
    return [
        *Drill().journal,
        records.Evaluated(at=1.0, file="f", group="g", evaluated_at=(1.5, 2.5)),
        records.SegmentDrained(at=1.0, k=1, last_ended=0.9, answered=3, failed=1),
        records.Picked(at=1.0, injection="a/b", k=1, i=(1, 4)),
        records.Worker(at=1.0, worker=2, host="there", ahead_s=-0.1, error_s=0.001),
        records.Late(at=1.0, k=1, i=(1,), sent_at=(1.0,), late_s=(0.2,)),
        records.Post(at=1.0, labels={"alertname": "A"}, status="firing", starts_at_ms=1, ends_at_ms=None),
        records.Alertmanager(at=1.0, version="0.25.0", url=None, routing=ROUTING),
        records.Accepted(
            at=1.0,
            labels={"alertname": "A"},
            starts_at_ms=1,
            updated_at_ms=2,
            unseen_at=0.5,
            state="suppressed",
            receivers=("pager",),
            silenced_by=("s",),
            inhibited_by=({"alertname": "B"},),
            muted_by=("nights",),
        ),
        records.Silence(at=1.0, id="s", ours=True, matchers=('a="b"',), created_by="x", comment="why", ends_at=9.0),
        records.Delivered(
            at=1.0,
            receiver="mail",
            integration="email",
            to=("a@b",),
            labels={"alertname": "A"},
            status="firing",
            starts_at_ms=1,
        ),
        records.Halted(at=1.0, injection="p/pause", k=3, pids=(7, 8), from_at=0.5, until_at=0.9),
        records.Replicas(at=1.0, names=("http://a", "http://b"), label=None, apart=True),
        records.Engine(at=1.0, version="2.42.0", scrape_interval_s=1.0, evaluation_interval_s=1.0, replica="http://b"),
        records.Answer(at=1.0, query="up", time_ms=5, labels=({"job": "a"},)),
        records.Instants(at=1.0, engine="vmalert", error_s=0.03),
        records.Fill(at=1.0, expectation="a/B", low_s=1.0, likely_s=None, high_s=None),
        records.NotReplayed(at=1.0, file="f", group="g", alert="A", reason=NOT_HELD),
        records.Trouble(at=1.0, kind="child_died", what="monitor died"),
        records.Process(at=1.0, started_at=0.5, reloaded=None),
    ]


def test_every_record_survives_its_line() -> None:
    journal = every_kind()
    lines = [to_line(one) for one in journal]
    assert {one.record for one in journal} == {
        kind.model_fields["record"].default for kind in records.R.__constraints__
    }
    assert all(line.count(b"\n") == 1 for line in lines)
    assert list(from_lines(lines)) == journal


def test_floats_survive_to_the_last_bit() -> None:
    at = T0_S + 0.1234567
    assert from_lines([to_line(records.Ended(at=at))])[0].at == at


def test_a_last_line_cut_short_is_left_out() -> None:
    lines = [to_line(one) for one in every_kind()]
    assert len(from_lines([*lines[:-1], lines[-1][:20]])) == len(lines) - 1


def test_a_broken_line_before_the_last_is_an_error() -> None:
    lines = [to_line(one) for one in every_kind()]
    with pytest.raises(ValueError, match="validation error"):
        from_lines([lines[0][:20], *lines[1:]])


def test_an_empty_journal_has_no_records() -> None:
    assert from_lines([]) == ()


def test_the_journal_of_one_prometheus_says_nothing_of_replicas() -> None:
    lines = b"".join(to_line(one) for one in Drill().journal)
    assert b"replica" not in lines
