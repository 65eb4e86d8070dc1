"""The load against targets that do not answer everybody: behind a prefix, for those who know a secret, up to a rate."""

from pathlib import Path

from load_process import OK, Arrived, Peer, Target, loading, make_plan, serving

KEY = "s3cret-of-the-gateway"
DENIED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
TOO_MANY = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n"
TAKEN = 5


async def test_a_secret_header_reaches_a_server_behind_a_prefix_and_stands_in_no_file(tmp_path: Path) -> None:
    def answer(peer: Peer, request: Arrived) -> None:
        known = request.headers.get(b"x-api-key") == KEY.encode() and request.headers.get(b"x-team") == b"fraud"
        peer.write(OK if known and request.url == b"/models/fraud/predict" else DENIED)

    make_plan(tmp_path, "100/s")
    url = "/models/fraud"
    async with (
        serving(Target(answer)) as target,
        loading(tmp_path, target.url + url, secret_headers={"X-Api-Key": KEY}) as load,
    ):
        await load.saw("ready")
        load.segment(0)
        await load.saw("sent", 3)
        await load.close()
        codes = {code for event in load.of("sent") for code in event["codes"]}
        (closed,) = load.of("closed")
    assert codes == {"200"}
    assert closed["denied"] == 0
    assert KEY not in (tmp_path / "plan.json").read_text() + (tmp_path / "load.log").read_text()


async def test_a_target_that_turns_requests_away_gets_as_many_and_what_it_turned_away_is_counted(
    tmp_path: Path,
) -> None:
    make_plan(tmp_path, "100/s")
    taken: list[int] = []

    def answer(peer: Peer, request: Arrived) -> None:
        peer.write(OK if len(taken) < TAKEN else TOO_MANY)
        taken.append(request.i)

    async with serving(Target(answer)) as target, loading(tmp_path, target.url) as load:
        await load.saw("ready")
        load.segment(0)
        await load.saw("sent", 3)
        await load.close()
        (closed,) = load.of("closed")
    assert closed["sent"] == closed["scheduled"] == len(taken) > 2 * TAKEN
    assert closed["within_100ms"] > 0.9 * closed["sent"]
    assert closed["rate_limited"] == closed["answered"] - TAKEN
    assert closed["denied"] == 0
