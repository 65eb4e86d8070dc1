#!/usr/bin/env bash
# Builds .venv from requirements.lock and gets a Prometheus. Needs no root; quick when everything is up to date.
#
#   PYTHON=/path/to/python3 scripts/setup.sh     # choose the interpreter
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv=.venv
stamp=$venv/setup-stamp

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }

give_up() {
    printf 'setup: %s\n' "$1" >&2
    shift
    printf '  fix: %s\n' "$@" >&2
    exit 2
}

# --- An interpreter -------------------------------------------------------------------------------------------------

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    local candidate
    if [ -n "${PYTHON:-}" ]; then
        new_enough "$PYTHON" || give_up "PYTHON=$PYTHON is not a Python 3.11 or later" 'name one that is, or unset PYTHON'
        echo "$PYTHON"
        return
    fi
    for candidate in python3.13 python3.12 python3.11 python3; do
        if new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    give_up 'no Python 3.11 or later on PATH' \
        'sudo apt-get install python3 (Debian 12, Ubuntu 24.04 or later)' 'or: PYTHON=/path/to/python3 make setup'
}

# --- A virtual environment with pip ---------------------------------------------------------------------------------
# Debian's python3 has neither ensurepip nor pip unless python3-venv is installed, which takes root.

has_pip() { new_enough "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1; }

# An environment cannot be moved: its scripts name the folder that it was made in.
usable() { has_pip && grep -qF -- "$(pwd -P)/$venv" "$venv/bin/activate" && { [ -z "${PYTHON:-}" ] || same_version; }; }

version() { "$1" -c 'import platform; print(platform.python_version())'; }

same_version() { [ "$(version "$PYTHON")" = "$(version "$venv/bin/python")" ]; }

bare_venv() { rm -rf "$venv" && "$1" -m venv --without-pip "$venv" >/dev/null 2>&1; }

# The program pip in a wheel installs itself: a wheel is a zip archive that Python runs.
pip_from_wheel() {
    local wheel
    for wheel in "$1"/pip-*.whl; do
        [ -f "$wheel" ] || continue
        "$venv/bin/python" "$wheel/pip" install --quiet --no-index --disable-pip-version-check "$wheel" && return
    done
    return 1
}

pip_from_ensurepip() { rm -rf "$venv" && "$1" -m venv "$venv" >/dev/null 2>&1; }

pip_from_debian_wheel() { bare_venv "$1" && pip_from_wheel /usr/share/python-wheels; }

pip_from_another_pip() { bare_venv "$1" && "$1" -m pip --python "$venv/bin/python" install --quiet pip >/dev/null 2>&1; }

pip_from_virtualenv() { rm -rf "$venv" && "$1" -m virtualenv --quiet "$venv" >/dev/null 2>&1; }

# apt keeps its lists and downloads in a directory of our own: no root, and nothing of the system's is touched.
pip_from_apt() {
    command -v apt-get >/dev/null && command -v dpkg >/dev/null && bare_venv "$1" || return 1
    local work apt status=1
    work=$(mktemp -d)
    mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial"
    apt=(apt-get -q -o "Dir::State=$work/state" -o Dir::State::status=/var/lib/dpkg/status -o "Dir::Cache=$work/cache"
        -o Acquire::Languages=none -o Acquire::Retries=2 -o APT::Sandbox::User=root)
    say 'apt-get download python3-pip-whl (private lists, no root)'
    if "${apt[@]}" update >"$work/log" 2>&1 && (cd "$work" && "${apt[@]}" download python3-pip-whl >>log 2>&1) &&
        dpkg -x "$work"/python3-pip-whl_*.deb "$work/unpacked" && pip_from_wheel "$work/unpacked/usr/share/python-wheels"; then
        status=0
    else
        tail -n 3 "$work/log" >&2
    fi
    rm -rf "$work"
    return $status
}

make_venv() {
    local way
    for way in ensurepip debian_wheel another_pip virtualenv apt; do
        if "pip_from_$way" "$1" && has_pip; then
            say "virtual environment of $1 ($(version "$1")), pip by ${way//_/ }"
            return
        fi
    done
    rm -rf "$venv"
    give_up "$1 cannot make a virtual environment with pip (tried ensurepip, Debian's wheel, pip, virtualenv and apt)" \
        'sudo apt-get install python3-venv' 'or: PYTHON=/path/to/another/python3 make setup'
}

# --- Packages -------------------------------------------------------------------------------------------------------

wanted() { cat requirements.lock pyproject.toml | cksum; }

if ! usable; then
    python=$(find_python)
    make_venv "$python"
fi
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(wanted)" ]; then
    say 'packages are up to date'
else
    say 'installing the locked packages'
    "$venv/bin/python" -m pip install --disable-pip-version-check --requirement requirements.lock
    "$venv/bin/python" -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
    wanted >"$stamp"
fi

"$venv/bin/alertdrill" doctor --install
