import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alertdrill.core.draws import uniform, uniforms, uniforms_at


@given(seed=st.integers(0, 2**63 - 1), k=st.integers(0, 99), start=st.integers(0, 10**6), n=st.integers(0, 40))
def test_a_draw_does_not_depend_on_the_batch(seed: int, k: int, start: int, n: int) -> None:
    batch = uniforms(seed, "row", k, start, start + n)
    assert batch.tolist() == [uniform(seed, "row", k, i) for i in range(start, start + n)]
    assert np.all((batch >= 0) & (batch < 1))


@given(indices=st.lists(st.integers(0, 5000), max_size=30), k=st.integers(0, 9))
def test_draws_for_any_indices_are_those_of_the_batch(indices: list[int], k: int) -> None:
    found = uniforms_at(3, "row", k, np.array(indices, dtype=np.int64))
    assert found.tolist() == [uniform(3, "row", k, i) for i in indices]


def test_draws_are_uniform_and_names_draw_apart() -> None:
    one, other = (uniforms(1, name, 0, 0, 20_000) for name in ("a", "b"))
    assert abs(one.mean() - 0.5) < 0.01
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.02
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 0.02
    assert len(set(one.tolist())) == len(one)


def test_segments_and_seeds_draw_apart() -> None:
    assert len({uniform(seed, "a", k, 0) for seed in range(20) for k in range(20)}) == 400
