import pytest

from alertdrill.protocols.pointer import Nowhere, finder

ANSWER = {"score": None, "a/b": {"~": [1, 2]}, "predictions": [{"p": [0.9, 0.1]}, {"p": [0.2, 0.8]}], "": 5}


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("", ANSWER),
        ("/", 5),
        ("/score", None),
        ("/a~1b/~0/1", 2),
        ("/predictions/1/p/0", 0.2),
        ("/predictions/*/p/1", [0.1, 0.8]),
    ],
)
def test_a_pointer_finds_what_rfc_6901_says_and_a_star_every_element(pointer: str, found: object) -> None:
    assert finder(pointer)(ANSWER) == found


@pytest.mark.parametrize("pointer", ["/no", "/predictions/2", "/predictions/-1", "/score/x", "/predictions/*/q", "/²"])
def test_what_is_not_there_is_nowhere(pointer: str) -> None:
    with pytest.raises(Nowhere):
        finder(pointer)(ANSWER)


def test_what_is_no_pointer_is_refused_with_a_fix() -> None:
    with pytest.raises(ValueError, match="fix: write '/score'"):
        finder("score")
