import os

from alertdrill.adapters.scratch import Scratch

LONG_AGO = (1_000_000_000, 1_000_000_000)


def test_a_scratch_directory_is_private_and_goes_at_the_end(tmp_path):
    with Scratch("drill-", tmp_path) as scratch:
        (scratch.path / "file").write_text("x")
        assert scratch.path.stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == []
    scratch.remove()


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path):
    left = tmp_path / "drill-left"
    left.mkdir()
    (left / ".in-use").touch()
    os.utime(left, LONG_AGO)
    with Scratch("drill-", tmp_path) as scratch:
        assert list(tmp_path.iterdir()) == [scratch.path]


def test_a_directory_in_use_stays_however_old_it_is(tmp_path):
    with Scratch("drill-", tmp_path) as first:
        os.utime(first.path, LONG_AGO)
        with Scratch("drill-", tmp_path) as second:
            assert {first.path, second.path} == set(tmp_path.iterdir())


def test_a_young_directory_stays_because_its_owner_may_not_have_locked_it_yet(tmp_path):
    (tmp_path / "drill-young").mkdir()
    with Scratch("drill-", tmp_path):
        assert (tmp_path / "drill-young").exists()


def test_directories_of_other_names_and_links_are_left_alone(tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "drill-link").symlink_to(tmp_path / "other")
    os.utime(tmp_path / "other", LONG_AGO)
    with Scratch("drill-", tmp_path):
        assert (tmp_path / "drill-link").exists()
