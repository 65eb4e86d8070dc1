"""Feedback from a file that others write to and rotate, into a real SQLite store."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alertdrill.monitor.truth.feedback import Refusal
from alertdrill.monitor.truth.feedback_log import FeedbackLog
from alertdrill.monitor.truth.ledger import Ledger
from alertdrill.monitor.truth.store import Store
from alertdrill.protocols.figures import Task


class World:
    """A log, the store that keeps how far it was read, and who reads it."""

    def __init__(self, folder: Path) -> None:
        self.path, self.ledger = folder / "feedback.jsonl", Ledger()
        self.store = Store(folder / "truth.db")
        self.log = FeedbackLog(self.path, Task.CLASSIFICATION, self.ledger)

    def write(self, *lines: str | bytes, end: str = "\n", to: str | None = None) -> None:
        """Append feedback on these ids, or other lines as they are."""
        texts = [line if isinstance(line, bytes) else json.dumps({"id": line, "label": 1}).encode() for line in lines]
        with (self.path.with_name(to) if to else self.path).open("ab") as file:
            file.write(b"\n".join(texts) + end.encode())

    def rotate(self, name: str = "feedback.jsonl.1") -> None:
        """As logrotate does."""
        self.path.rename(self.path.with_name(name))

    def transaction(self, fails: bool = False) -> list[str | None]:
        """The ids of one transaction that is kept; none of one that fails."""
        try:
            with self.store.transaction() as db:
                found = [item.id for item in self.log.read(db)]
                if fails:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            self.log.not_kept()
            return []
        self.log.kept()
        return found

    def all(self) -> list[str | None]:
        """The ids of several transactions, without anybody writing."""
        return [identity for _ in range(9) for identity in self.transaction()]

    def anew(self) -> None:
        """Another process with the same store."""
        self.log.close()
        self.log = FeedbackLog(self.path, Task.CLASSIFICATION, self.ledger)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.log.close()
    made.store.close()


def test_only_whole_lines_are_read_each_once(world: World) -> None:
    assert world.all() == []
    world.write("one", b"", "two", b'{"id": "thr', end="")
    assert world.all() == ["one", "two"]
    world.write(b'ee", "label": 1}')
    assert world.all() == ["three"]
    world.anew()
    assert world.all() == []


def test_half_a_line_at_the_end_of_a_file_that_is_rotated_is_a_line(world: World) -> None:
    world.write("one", "last", end="")
    assert world.all() == ["one"]
    world.rotate()
    world.write("new")
    assert world.all() == ["last", "new"]


def test_lines_written_between_the_last_read_and_the_rename_are_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("one")
    assert world.transaction() == ["one"]
    stat, told = os.stat, list[Any]()

    def just_after(path: Any, **more: Any) -> os.stat_result:
        if path == world.path and not told:
            told.append(path)
            world.write("late")
            world.rotate()
            world.write("new")
        return stat(path, **more)

    monkeypatch.setattr(os, "stat", just_after)
    assert world.all() == ["late", "new"]


def test_a_transaction_that_is_not_kept_loses_no_line_of_a_file_that_was_rotated_since(world: World) -> None:
    world.write("one", "two", b"no JSON")
    assert world.transaction(fails=True) == []
    world.rotate("feedback.jsonl-20261123")
    world.write("new")
    assert world.ledger.refused[Refusal.BAD_JSON] == 0
    assert world.all() == ["one", "two", "new"]
    assert world.ledger.refused[Refusal.BAD_JSON] == 1


def test_a_line_of_any_depth_is_refused_and_does_not_keep_the_next_ones_waiting(world: World) -> None:
    world.write(b'{"id": %b}' % (b"[" * 1000 + b"]" * 1000), "next")
    assert world.all() == ["next"]
    assert world.ledger.refused[Refusal.BAD_ID] == 1


def test_lines_that_no_transaction_can_hold_are_given_up_and_counted(world: World) -> None:
    world.write("one", "two")
    assert world.transaction(fails=True) == []
    world.log.give_up()
    world.write("next")
    assert world.all() == ["next"]
    assert world.ledger.refused[Refusal.STORE_FAILED] == 2


def test_a_line_that_is_too_long_is_left_out_and_counted_once(world: World) -> None:
    world.write("one", b"x" * 100_000, b"x" * (5 << 20), "two")
    found = [identity for _ in range(99) for identity in world.transaction()]
    assert (found, world.ledger.refused[Refusal.TOO_LARGE]) == (["one", "two"], 2)


def test_a_store_that_is_begun_anew_gets_the_whole_log(world: World, tmp_path: Path) -> None:
    world.write("one", "two")
    assert world.all() == ["one", "two"]
    world.store.close()
    world.store = Store(tmp_path / "other.db")
    assert world.all() == ["one", "two"]


def test_a_store_that_is_opened_again_gets_each_line_once(world: World, tmp_path: Path) -> None:
    world.write("one")
    assert world.all() == ["one"]
    world.write("two")
    world.transaction(fails=True)
    world.store.close()
    world.store = Store(tmp_path / "truth.db")
    assert world.all() == ["two"]
