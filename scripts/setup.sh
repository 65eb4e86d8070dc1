#!/usr/bin/env bash
# Builds .venv from requirements.lock and gets a Prometheus. Needs no root; quick when everything is up to date.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
stamp=.venv/setup-stamp

wanted() { cat requirements.lock pyproject.toml | cksum; }

scripts/make_venv.sh .venv
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(wanted)" ]; then
    echo 'setup: packages are up to date'
else
    echo 'setup: installing the locked packages'
    .venv/bin/python -m pip install --disable-pip-version-check --requirement requirements.lock
    .venv/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
    wanted >"$stamp"
fi
.venv/bin/alertdrill doctor --install
