import pytest

from alertdrill.adapters.prometheus_log import errors, listening_address

START_2 = (
    '{"address":"127.0.0.1:0","component":"web","level":"info","msg":"Start listening for connections","ts":"t"}\n'
)
LISTEN_2 = '{"address":"127.0.0.1:42381","caller":"tls_config.go:232","level":"info","msg":"Listening on","ts":"t"}\n'
START_3 = '{"time":"t","level":"INFO","msg":"Start listening for connections","address":"127.0.0.1:0"}\n'
LISTEN_3 = '{"time":"t","level":"INFO","source":"tls_config.go:379","msg":"Listening on","address":"127.0.0.1:37515"}\n'


@pytest.mark.parametrize(
    ("log", "address"),
    [
        (START_2 + LISTEN_2, "127.0.0.1:42381"),
        (START_3 + LISTEN_3, "127.0.0.1:37515"),
        (START_2, None),
        ('{"msg":"other","err":"Listening on","address":"127.0.0.1:0"}\n', None),
        (LISTEN_2.rstrip("\n"), None),
        ("goroutine 1 [running]: Listening on\n" + LISTEN_3, "127.0.0.1:37515"),
        ("", None),
    ],
)
def test_the_real_port_is_that_of_the_listening_line_alone(log, address):
    assert listening_address(log) == address


def test_errors_of_both_generations_are_told_with_their_cause():
    two = '{"caller":"manager.go:1015","err":"/r.yml: bad","level":"error","msg":"loading groups failed"}\n'
    three = '{"time":"t","level":"ERROR","msg":"Error loading rule file patterns","err":"parse rules"}\n'
    assert errors(LISTEN_2 + two + two) == ["loading groups failed: /r.yml: bad"]
    assert errors(LISTEN_3 + three) == ["Error loading rule file patterns: parse rules"]


def test_text_that_is_no_json_is_an_error_too():
    assert errors("prometheus: error: unknown long flag '--nope'\n") == [
        "prometheus: error: unknown long flag '--nope'"
    ]


def test_a_log_without_errors_tells_its_last_lines():
    assert errors(LISTEN_2) == ["Listening on"]
