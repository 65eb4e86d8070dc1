"""What is said of a process that stands still."""

from pathlib import Path

import pytest

from alertdrill.guard import stood_still

FILE = """class Caller:
    def predict(self):
        wait()

    class Inner:
        def browse(self):
            wait()

def wait():
    while True: pass
"""
LOCUST = """  File "/lib/locust/user/task.py", line 389 in execute_task
  File "/lib/gevent/greenlet.py", line 900 in run
"""


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        ("{file}line 3 in predict\n", "users.py:3: Caller.predict has kept all users from running for 10 s, expected"),
        (
            "{file}line 10 in wait\n{file}line 7 in browse\n",
            "users.py:10: wait, called by Caller.Inner.browse, has kept all users from running for 10 s, expected",
        ),
        (
            '  File "/lib/csv.py", line 166 in match\n{file}line 3 in predict\n',
            "users.py:3: Caller.predict has kept all users from running for 10 s (now in match, csv.py:166), expected",
        ),
        (
            '  File "/team/tasks.py", line 5 in predict\n',
            "users.py has kept all users from running for 10 s (now in predict, tasks.py:5), expected",
        ),
        ("", "users.py has kept all users from running for 10 s, expected"),
    ],
)
def test_it_is_named_by_where_its_main_thread_is(stack: str, said: str, tmp_path: Path) -> None:
    folder = tmp_path / "müller"
    folder.mkdir()
    file = folder / "users.py"
    file.write_text(FILE)
    written = str(file).encode("ascii", "backslashreplace").decode()
    frames = stack.format(file=f'  File "{written}", ')
    text = stood_still(f"Current thread 0x1 (most recent call first):\n{frames}{LOCUST if frames else ''}", file, 10.2)
    assert text.startswith(said)


def test_a_file_that_cannot_be_read_any_more_still_names_its_function(tmp_path: Path) -> None:
    stack = f'  File "{tmp_path / "users.py"}", line 3 in predict\n'
    assert stood_still(stack, tmp_path / "users.py", 10.0).startswith("users.py:3: predict has kept")
