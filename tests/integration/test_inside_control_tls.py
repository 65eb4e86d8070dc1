"""Control requests to an app that is served over TLS."""

import json
from pathlib import Path

import pytest
from certificates import Authority
from sockets import Peer, Upstream

from alertdrill.adapters.inside_control import InsideControl, Unanswered
from alertdrill.tls import TlsSettings

SAID = json.dumps({"process": "p", "version": "1"}).encode()


async def _app(peer: Peer) -> None:
    await peer.message()
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(SAID) + SAID)


@pytest.mark.parametrize(
    ("host", "server_name", "trusted", "answered"),
    [
        ("127.0.0.1", None, True, True),
        ("app.test", "app.test", True, True),
        ("app.test", None, True, False),
        ("127.0.0.1", None, False, False),
    ],
)
async def test_an_app_is_trusted_as_the_target_is(
    host: str, server_name: str | None, trusted: bool, answered: bool, tmp_path: Path
) -> None:
    authority, app = Authority(tmp_path), Upstream(_app)
    port = await app.start(authority.server(host))
    settings = TlsSettings(ca=authority.ca if trusted else None, server_name=server_name)
    control = InsideControl(f"https://127.0.0.1:{port}/v1", "token", "run", {}, settings)
    try:
        if answered:
            assert (await control.ask("GET", "state", {}))["process"] == "p"
        else:
            with pytest.raises(Unanswered, match="CERTIFICATE_VERIFY_FAILED"):
                await control.ask("GET", "state", {})
    finally:
        await control.close()
        await app.stop()
