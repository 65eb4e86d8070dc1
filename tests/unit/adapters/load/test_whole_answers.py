"""What `outcome` needs of geventhttpclient, FastHttpUser's client, to tell a whole answer from one that broke off.

Locust's part of it, that every response is made by `LocustUserAgent.response_type`, cannot be looked at here: importing
Locust patches the process. `test_an_answer_that_is_not_whole_is_none` of the integration tests does.
"""

import pytest
from geventhttpclient.response import HTTPResponse

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nha\r\n"


@pytest.mark.parametrize(
    ("came", "whole"),
    [
        (HEAD, False),
        (HEAD + b"ha", False),
        (HEAD + b"half", True),
        (CHUNKS, False),
        (CHUNKS + b"0\r\n\r\n", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
    ],
)
def test_an_answer_knows_whether_it_has_come_to_its_end(came: bytes, whole: bool) -> None:
    answer = HTTPResponse("POST")
    answer.feed(came)
    assert answer.message_complete is whole
