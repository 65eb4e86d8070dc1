"""`scripts/make_venv.sh` on machines that lack what a full Python has, without root and without network."""

import ensurepip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_venv.sh"
ALSO_NEEDED = ("bash", "rm", "mktemp", "mkdir", "grep", "tail", "cp", "sh")


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


class Machine:
    """A PATH of our own, a checkout with a blank in its path, and no wheel of Debian's."""

    def __init__(self, directory: Path) -> None:
        self.bin, self.checkout = directory / "bin", directory / "a checkout"
        self.bin.mkdir()
        self.checkout.mkdir()
        for name in ALSO_NEEDED:
            (self.bin / name).symlink_to(shutil.which(name) or name)
        text = SCRIPT.read_text().replace("/usr/share/python-wheels", "/no/wheels")
        program(self.checkout / "make_venv.sh", text)

    def python(self, refuses: str, name: str = "python3") -> None:
        """A Python that fails whenever its arguments match one of the shell patterns `refuses`."""
        real = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
        program(self.bin / name, f'case "$*" in {refuses}) exit 1;; esac\nexec "{real}" "$@"')

    def apt(self) -> None:
        """An apt-get and a dpkg that bring pip's wheel, as those of Debian do."""
        (wheel,) = Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl")
        program(self.bin / "apt-get", 'case "$*" in *download*) : > python3-pip-whl_1_all.deb;; esac')
        program(self.bin / "dpkg", f'mkdir -p "$3/no/wheels" && cp "{wheel}" "$3/no/wheels"')

    def make_venv(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "make_venv.sh", ".venv"],
            cwd=self.checkout,
            env={"PATH": str(self.bin), "HOME": os.environ.get("HOME", "/"), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )

    def has_pip(self) -> bool:
        python = self.checkout / ".venv" / "bin" / "python"
        return (
            python.exists() and subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0
        )


BARE = '"-m venv .venv"|"-m pip"*|"-m virtualenv"*'
NOTHING = '"-m venv"*|"-m pip"*|"-m virtualenv"*'


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_full_python_is_used_and_the_second_time_nothing_is_done(machine: Machine):
    machine.python(refuses="nothing")
    assert "pip from ensurepip" in machine.make_venv().stdout
    assert machine.has_pip()
    again = machine.make_venv()
    assert (again.returncode, again.stdout) == (0, "")


def test_without_ensurepip_pip_comes_from_apt_without_root(machine: Machine):
    machine.python(refuses=BARE)
    machine.apt()
    done = machine.make_venv()
    assert "pip from apt" in done.stdout
    assert done.returncode == 0
    assert machine.has_pip()


def test_when_nothing_works_the_message_says_what_to_install_and_nothing_is_left(machine: Machine):
    machine.python(refuses=NOTHING)
    done = machine.make_venv()
    assert done.returncode == 2
    assert "fix: sudo apt-get install python3-venv" in done.stdout
    assert not (machine.checkout / ".venv").exists()


def test_a_machine_without_python_is_told_which_one_is_needed(machine: Machine):
    done = machine.make_venv()
    assert done.returncode == 2
    assert "no Python 3.11 or later on PATH" in done.stdout


def test_an_old_python_is_passed_over_for_a_newer_one(machine: Machine):
    program(machine.bin / "python3.13", "exit 1")
    machine.python(refuses="nothing", name="python3.12")
    assert "virtual environment of python3.12" in machine.make_venv().stdout


def test_the_variable_python_chooses(machine: Machine):
    machine.python(refuses="nothing", name="chosen")
    assert "virtual environment of chosen" in machine.make_venv(PYTHON="chosen").stdout
    wrong = machine.make_venv(PYTHON="/no/such/python")
    assert wrong.returncode == 2
    assert "PYTHON=/no/such/python is not a Python 3.11 or later" in wrong.stdout


def test_an_environment_that_was_moved_is_made_anew(machine: Machine):
    machine.python(refuses="nothing")
    machine.make_venv()
    moved = machine.checkout.rename(machine.checkout.with_name("moved"))
    machine.checkout = moved
    assert "pip from ensurepip" in machine.make_venv().stdout
