import importlib.metadata

import pytest

from alertdrill.adapters.extras import lacking

REQUIRES = [
    "numpy>=2.1",
    "grafana-foundation-sdk>=10.1; extra == 'dashboards'",
    "numpy>=2; extra == 'targets'",
    'no-such-model-library>=1.6 ; extra == "targets"',
    "another.one; extra == 'targets'",
]


def test_what_an_extra_needs_and_is_not_installed_is_named_as_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: REQUIRES)
    assert lacking("targets") == ("no-such-model-library>=1.6", "another.one")
    assert lacking("none") == ()


def test_a_checkout_that_is_not_installed_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> list[str]:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", unknown)
    assert lacking("targets") == ()
