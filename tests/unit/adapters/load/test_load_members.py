"""Tests of the workers as their master knows them."""

from typing import Any

import pytest

from alertdrill.adapters.load.members import Members
from alertdrill.adapters.load.post import Inbox, Lost, Message


@pytest.fixture
def sent() -> list[tuple[str, Message]]:
    return []


@pytest.fixture
def members(sent: list[tuple[str, Message]]) -> Members:
    return Members(3, lambda to, message: sent.append((to, message)))


def test_the_lowest_free_number_is_given(members: Members) -> None:
    first = members.join("a", "here")
    assert [first.number, members.join("b", "here").number] == [0, 1]
    members.leave(first)
    assert members.join("c", "there").number == 0
    assert [member.id for member in members.all] == ["c", "b"]


def test_messages_to_each_are_numbered_and_none_is_missed(members: Members, sent: list[tuple[str, Any]]) -> None:
    members.join("a", "here")
    members.tell("alive", lease_s=None)
    members.join("b", "here")
    members.tell("over", why=None)
    members.flush()
    inboxes = {"a": Inbox(), "b": Inbox()}
    for to, message in sent:
        inboxes[to].check(message)
    assert sorted((to, message["do"]) for to, message in sent) == [("a", "alive"), ("a", "over"), ("b", "over")]


def test_a_missing_message_is_noticed() -> None:
    inbox = Inbox()
    inbox.check({"n": 0})
    with pytest.raises(Lost, match="got message 2, expected message 1"):
        inbox.check({"n": 2})


def test_a_clock_in_doubt_is_named(members: Members) -> None:
    member = members.join("a", "far")
    member.read_clock(0.5, 0.024)
    assert member.doubt() is None
    member.read_clock(0.5, 0.041)
    assert "worker 1 (far) knows the time here to within 41 ms only, expected 25 ms" in (member.doubt() or "")
    member.read_clock(0.5, 0.002)
    event = member.clock_event()
    assert (event["worker"], event["host"], event["ahead_s"], event["error_s"]) == (1, "far", 0.5, 0.041)
