import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alertdrill.core.draws import chosen, chosen_one, uniform, uniforms


@given(seed=st.integers(0, 2**63 - 1), k=st.integers(0, 99), start=st.integers(0, 10**6), n=st.integers(0, 40))
def test_a_draw_does_not_depend_on_the_batch(seed: int, k: int, start: int, n: int) -> None:
    batch = uniforms(seed, "row", k, start, start + n)
    assert batch.tolist() == [uniform(seed, "row", k, i) for i in range(start, start + n)]
    assert np.all((batch >= 0) & (batch < 1))


@given(share=st.floats(0, 1), k=st.integers(0, 9))
def test_every_injector_chooses_alike(share: float, k: int) -> None:
    mask = chosen(3, "nulls/nulls", k, 0, 60, share)
    assert mask.tolist() == [chosen_one(3, "nulls/nulls", k, i, share) for i in range(60)]


def test_a_larger_share_keeps_what_a_smaller_one_chose() -> None:
    few, many = (chosen(1, "a", 0, 0, 2000, share) for share in (0.1, 0.4))
    assert not np.any(few & ~many)


def test_share_0_chooses_nothing_and_share_1_everything() -> None:
    assert not chosen(1, "a", 0, 0, 2000, 0.0).any()
    assert chosen(1, "a", 0, 0, 2000, 1.0).all()


def test_the_share_is_kept() -> None:
    assert abs(chosen(1, "a", 0, 0, 20_000, 0.2).mean() - 0.2) < 0.01


def test_injections_choose_apart() -> None:
    one, other = (chosen(1, name, 0, 0, 20_000, 0.5) for name in ("a", "b"))
    assert abs((one & other).mean() - 0.25) < 0.02
