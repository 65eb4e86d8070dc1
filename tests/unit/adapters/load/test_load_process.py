"""Tests of what the load's process does before anything else."""

import subprocess
import sys

from alertdrill.adapters.load.__main__ import FOLDER

PATCHED = """
from importlib import metadata
from alertdrill.adapters.load.__main__ import patch_all
ask, read = metadata.entry_points, 0
def counted(**which):
    global read
    read += 1
    return ask(**which)
metadata.entry_points = counted
patch_all()
from gevent import monkey
print(read, metadata.entry_points is counted, *(monkey.is_module_patched(name) for name in ("socket", "ssl", "time")))
"""


def test_all_is_patched_and_what_is_installed_is_looked_through_once() -> None:
    done = subprocess.run([sys.executable, "-c", PATCHED], check=True, capture_output=True, text=True, timeout=30)
    assert done.stdout.split() == ["1", "True", "True", "True", "True"]


def test_no_module_of_ours_stands_in_for_another_where_locust_looks_first() -> None:
    assert sorted(file.name for file in FOLDER.glob("*.py")) == ["__init__.py", "locustfile.py"]
