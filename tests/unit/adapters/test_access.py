import ssl
from pathlib import Path
from typing import Any

import pytest

from alertdrill.adapters.access import Access
from alertdrill.core.scenario import UserPrometheus


def way(folder: Path, **more: Any) -> Access:
    written = UserPrometheus.model_validate({"url": "http://prometheus.test/prefix/", **more})
    return Access.of(written, ("monitoring", "prometheus"), folder / "s.yaml")


def test_everything_that_a_scenario_says_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T", "abc")
    (tmp_path / "key").write_text(" k3y\n")
    access = way(
        tmp_path, bearer_token={"env": "T"}, tenant="fraud", headers={"X-Key": {"file": "key"}, "X-Team": "a b"}
    )
    assert access.url == "http://prometheus.test/prefix"
    assert access.headers() == {
        "Authorization": "Bearer abc",
        "X-Scope-OrgID": "fraud",
        "X-Key": "k3y",
        "X-Team": "a b",
    }


def test_the_way_to_a_replica_is_another_address_with_the_same_login(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("abc")
    access = way(tmp_path, bearer_token={"file": "t"}, tenant="fraud", url="https://a.test", tls={"verify": False})
    other = access.at("https://replica.test/")
    assert other.url == "https://replica.test"
    assert (other.headers(), other.tls, other.option) == (access.headers(), access.tls, access.option)


def test_a_login_is_encoded_as_rfc_7617_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P", "open sesame")
    access = way(tmp_path, basic_auth={"username": "Aladdin", "password": {"env": "P"}})
    assert access.headers() == {"Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}
    assert access.without_secrets("QWxhZGRpbjpvcGVuIHNlc2FtZQ== is open sesame") == "*** is ***"


def test_what_was_sent_before_a_rotation_is_hidden_too(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("first")
    access = way(tmp_path, bearer_token={"file": "t"})
    access.headers()
    (tmp_path / "t").write_text("second")
    access.headers()
    assert access.without_secrets("first, second, third") == "***, ***, third"


def test_an_error_of_tls_is_found_in_whatever_it_is_wrapped() -> None:
    inner = ssl.SSLError(1, "x")
    inner.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    wrapped = ConnectionError("outer", RuntimeError(inner))
    found = Access("https://a.test").untrusted(wrapped)
    assert found is not None
    assert found[0] == "it refuses a client without certificate: tlsv13 alert certificate required"
    assert Access("https://a.test").untrusted(ConnectionError("refused")) is None


def test_a_plain_server_is_told_from_one_that_cannot_be_trusted() -> None:
    error = ssl.SSLError(1, "x")
    error.reason = "WRONG_VERSION_NUMBER"
    found = Access("https://a.test", "monitoring.alertmanager").untrusted(error)
    assert found == (
        "no TLS session: wrong version number",
        "write http:// in monitoring.alertmanager.url if it speaks plain HTTP",
    )
