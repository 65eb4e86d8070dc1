"""Many texts parsed as one: nothing that is found may differ from what each holds by itself."""

import gzip
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alertdrill.drift.cells import CategoryCells, Cells, NumericCells
from alertdrill.drift.e_detector import EDetector, log_threshold
from alertdrill.monitor import answers, bodies, together
from alertdrill.monitor.account import Account
from alertdrill.monitor.answers import BadAnswer, read_answer, read_answers
from alertdrill.monitor.bodies import Bodies
from alertdrill.monitor.notes import Failure, Headers, Note
from alertdrill.monitor.predictions import Outputs, PredictionCounters
from alertdrill.monitor.tally import Output
from alertdrill.monitor.together import decode_together
from alertdrill.protocols.base import Protocol
from alertdrill.protocols.features import Feature, FeatureKind
from alertdrill.protocols.instances import Instances
from alertdrill.protocols.json_template import Json
from alertdrill.protocols.malformed import Malformed
from alertdrill.protocols.mlflow import Mlflow
from alertdrill.protocols.oip_v2 import OipV2

FEATURES = (Feature(name="amount", kind=FeatureKind.NUMBER), Feature(name="country", kind=FeatureKind.CATEGORY))
PROTOCOLS = (Json(), Json(body={"x": "$row"}), Json(body=["$values"]), OipV2(), Instances(), Mlflow())

Parse = Callable[[bytes], dict[tuple[str, ...], float]]
LABELS = {"model": "fraud", "version": "1"}
GZIP = ((b"content-encoding", b"gzip"),)

PIECES = st.sampled_from(
    [
        *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b" ", b"\n", b""),
        *(b'"a"', b'"x":', b"1", b"-1e400", b"NaN", b"null", b"true", b"\xff", b"\xc3", b"\xa9", b"\xef\xbb\xbf"),
        *(b'{"amount": 1.5, "country": "DE"}', b'{"x": [{"y": 1}]}'),
    ]
)
TEXTS = st.lists(PIECES, max_size=5).map(b"".join)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
).map(lambda value: json.dumps(value).encode())


def each(texts: Sequence[bytes]) -> list[Any] | None:
    try:
        return list(map(orjson.loads, texts))
    except ValueError:
        return None


@given(st.lists(TEXTS | JSON, max_size=6))
@example([b"1, 2", b'{"a": [1', b"2]}"])  # three elements, but not those
@example([b"[1], [2"])
@example([b'"', b'"'])
@example([b"1", b"2,3,4", b"[5", b"6]", b"7"])
@example([b"[" * 1024 + b"]" * 1024])
@example([b'{"a": 1, "a": 2}', b'"' + together._MARK[:-1].encode() + b'"'])
@settings(max_examples=1000)
def test_what_is_found_together_is_what_each_text_holds(texts: list[bytes]) -> None:
    found = decode_together(texts)
    assert found is None or repr(found) == repr(each(texts))


@given(st.lists(JSON, max_size=6))
def test_texts_that_are_json_are_found_together(texts: list[bytes]) -> None:
    assert repr(decode_together(texts)) == repr(each(texts))


def test_even_a_text_that_knew_the_mark_would_not_hide_one_that_is_none() -> None:
    mark = together._MARK.encode()
    assert decode_together([b'1,"%b",2' % mark]) is None
    assert decode_together([b'1,"%b",2' % mark, b"3"]) is None


def test_too_much_at_once_is_left_to_the_careful_way() -> None:
    assert decode_together([b'"%b"' % (b"x" * 600_000)] * 2) is None


@given(st.lists(TEXTS | JSON | st.sampled_from([Malformed.INCOMPLETE, None]), max_size=6), st.sampled_from(PROTOCOLS))
@settings(max_examples=300)
def test_bodies_read_together_give_the_same_rows_and_reasons(some: list[Any], protocol: Protocol) -> None:
    reader = Bodies(protocol, FEATURES)
    careful = [reader.read(body) if isinstance(body, bytes) else body for body in some]
    found = reader.read_all(some)
    assert repr(found) == repr(careful)
    assert list(map(type, found)) == list(map(type, careful))


@given(
    st.lists(
        st.tuples(
            TEXTS | JSON | JSON.map(gzip.compress) | st.sampled_from([BadAnswer.TOO_LARGE, None]),
            st.sampled_from([(), GZIP]),
        ),
        max_size=6,
    )
)
@example([(b"[1]", ()), (gzip.compress(b"[2]"), GZIP), (b"[3]", GZIP), (gzip.compress(b"[4]"), ())])
@settings(max_examples=300)
def test_answers_read_together_are_the_same(some: list[tuple[Any, Any]]) -> None:
    found = read_answers([body for body, _ in some], [headers for _, headers in some])
    assert repr(found) == repr([read_answer(*one) for one in some])


def books() -> Account:
    generator = np.random.default_rng(1)
    cells: dict[str, Cells] = {
        "amount": NumericCells.from_reference(generator.normal(50.0, 10.0, 5_000), nulls=50),
        "country": CategoryCells.from_reference(generator.choice(["DE", "FR"], 5_000, p=[0.8, 0.2])),
    }
    threshold = log_threshold(4)
    detector = EDetector(list(cells.values()), threshold)
    outputs = Outputs({Output.SCORE: "/score", Output.LABEL: "/label"}, {}, first=300, threshold=threshold)
    return Account(LABELS, cells, ("id",), detector, 0.0, None, [PredictionCounters(LABELS, outputs)])


VALUES = (50.0, 42, 61.5, 1e300, -1, None, True, "x", [1], {"a": 1}, 10**18, "DE", "FR", "XX")
VALUES_OF_ANSWERS = tuple(value for value in VALUES if value != 1e300)
SPOILED = (b"", b" ", b"\xff{}", b"{", b"[1]", b'{"amount": NaN}', b"1, 2", b'{"amount": [1', b"2]}", b"null", b'"a"')


def some_notes(count: int, seed: int) -> list[Note]:
    """Exchanges of every kind, broken ones among them."""
    draw = random.Random(seed)

    def text(*names: str) -> bytes:
        if draw.random() < 0.02:
            return draw.choice(SPOILED)
        chosen = [name for name in (*names, "odd") if draw.random() < (0.02 if name == "odd" else 0.99)]
        odd = VALUES if "amount" in names else VALUES_OF_ANSWERS
        usual = {"amount": 50.0, "country": "DE", "score": 0.5, "label": 1, "id": "7"}
        return json.dumps({n: draw.choice(odd) if draw.random() < 0.1 else usual.get(n, 0) for n in chosen}).encode()

    def note() -> Note:
        code = draw.choices((200, 422, 502), (20, 1, 1))[0]
        body = draw.choices((text("id", "amount", "country"), Malformed.INCOMPLETE, None), (50, 1, 1))[0]
        answer = draw.choices((text("score", "label"), BadAnswer.TOO_LARGE, None), (50, 1, 1))[0]
        failure = draw.choices((None, Failure.RESET), (30, 1))[0]
        coding: Headers = ()
        if isinstance(answer, bytes) and draw.random() < 0.02:
            answer, coding = gzip.compress(answer), GZIP
        return Note(
            code, draw.choice((None, 0.004, 0.005, 0.3, 20.0)), draw.random() < 0.95, body, answer, 1.0
        )._replace(answer_headers=coding, failure=failure)

    return [note() for _ in range(count)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("most", [1, 7, 256, None])
def test_books_kept_in_batches_are_those_kept_one_exchange_at_a_time(
    seed: int, most: int | None, values: Parse, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast, careful = books(), books()
    notes = some_notes(1500, seed)
    for account in (fast, careful):
        for at, note in enumerate(notes):
            account.note(note)
            if account is careful:
                with monkeypatch.context() as patched:
                    for module in (bodies, answers):
                        patched.setattr(module, "decode_together", lambda texts: None)
                    account.fold(1)
            if at % 500 == 499:
                while account.waiting:
                    account.fold(most)
                account.update(2.0)
    seen = [
        {
            name: value
            for name, value in values(account.scrape()).items()
            if not name[0].startswith(("process_", "python"))
        }
        for account in (fast, careful)
    ]
    assert fast.failures.count == careful.failures.count == 0
    assert fast.waiting == fast._noted_bytes == 0
    assert seen[0] == pytest.approx(seen[1], rel=1e-9)
    assert sum(n for name, n in seen[0].items() if name[0] == "model_malformed_requests_total") > 10
