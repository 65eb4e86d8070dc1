#!/usr/bin/env bash
# Makes a virtual environment with pip, without root, also on a Debian or Ubuntu without python3-venv. Does nothing when
# it is there already.
#
#   scripts/make_venv.sh .venv
#   PYTHON=/path/to/python3 scripts/make_venv.sh .venv     # choose the interpreter
set -euo pipefail

venv=$1
debian_wheels=/usr/share/python-wheels

give_up() {
    printf 'setup: %s\n' "$1" >&2
    shift
    printf '  fix: %s\n' "$@" >&2
    exit 2
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

version() { "$1" -c 'import platform; print(platform.python_version())'; }

find_python() {
    local candidate
    if [ -n "${PYTHON:-}" ]; then
        new_enough "$PYTHON" || give_up "PYTHON=$PYTHON is not a Python 3.11 or later" 'name one that is, or unset PYTHON'
        python=$PYTHON
        return
    fi
    for candidate in python3.13 python3.12 python3.11 python3; do
        if new_enough "$candidate"; then
            python=$candidate
            return
        fi
    done
    give_up 'no Python 3.11 or later on PATH' \
        'sudo apt-get install python3    (Debian 12 or Ubuntu 24.04, or later)' \
        'PYTHON=/path/to/python3 make setup'
}

has_pip() { new_enough "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1; }

# An environment cannot be moved: its scripts name the folder that it was made in.
usable() { has_pip && grep -qF -- "$(cd "$venv" && pwd -P)" "$venv/bin/activate" && of_this_version; }

of_this_version() { [ -z "${PYTHON:-}" ] || [ "$(version "$PYTHON")" = "$(version "$venv/bin/python")" ]; }

# --- Ways to pip ----------------------------------------------------------------------------------------------------
# Debian splits ensurepip off into python3-venv, which takes root to install. Each way starts from nothing.

from_ensurepip() { "$python" -m venv "$venv" >/dev/null 2>&1; }

bare() { "$python" -m venv --without-pip "$venv" >/dev/null 2>&1; }

# A wheel is a zip archive that Python can run: the pip in it installs itself.
by_wheel() {
    local wheel
    for wheel in "$1"/pip-*.whl; do
        [ -f "$wheel" ] || continue
        "$venv/bin/python" "$wheel/pip" install --quiet --no-index --disable-pip-version-check "$wheel" && return
    done
    return 1
}

from_debian_wheel() { bare && by_wheel "$debian_wheels"; }

from_another_pip() { bare && "$python" -m pip --python "$venv/bin/python" install --quiet pip >/dev/null 2>&1; }

from_virtualenv() { "$python" -m virtualenv --quiet "$venv" >/dev/null 2>&1; }

# apt keeps its lists and downloads in a folder of our own: no root, and nothing of the system's is touched.
from_apt() {
    command -v apt-get >/dev/null && command -v dpkg >/dev/null && bare || return 1
    local work=$1 apt
    mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial"
    apt=(apt-get -q -o "Dir::State=$work/state" -o Dir::State::status=/var/lib/dpkg/status -o "Dir::Cache=$work/cache"
        -o Acquire::Languages=none -o Acquire::Retries=2 -o APT::Sandbox::User=root)
    echo 'setup: apt-get download python3-pip-whl (private lists, no root)'
    { "${apt[@]}" update && cd "$work" && "${apt[@]}" download python3-pip-whl && cd - &&
        dpkg -x "$work"/python3-pip-whl_*.deb "$work/unpacked"; } >"$work/log" 2>&1 &&
        by_wheel "$work/unpacked$debian_wheels" && return
    tail -n 3 "$work/log" >&2
    return 1
}

make_venv() {
    local way
    for way in from_ensurepip from_debian_wheel from_another_pip from_virtualenv from_apt; do
        rm -rf "$venv"
        if "$way" "$work" && has_pip; then
            echo "setup: virtual environment of $python ($(version "$python")), pip ${way//_/ }"
            return
        fi
    done
    rm -rf "$venv"
    give_up "$python cannot make a virtual environment with pip: tried ensurepip, pip, virtualenv and apt" \
        'sudo apt-get install python3-venv' 'PYTHON=/path/to/another/python3 make setup'
}

if ! usable; then
    find_python
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    make_venv
fi
