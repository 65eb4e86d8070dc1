"""An answer of the page in an ASGI app: what the app has itself goes before one of last resort."""

from alertdrill.asgi import App, Message, Receive, Scope, Send, respond
from alertdrill.monitor.page.document import Answer

NOT_FOUND = 404


async def given(answer: Answer | None, app: App, scope: Scope, receive: Receive, send: Send) -> None:
    """Give an answer; one of last resort in place of a 404 of the app, and none leaves all to it."""
    if answer is None:
        await app(scope, receive, send)
    elif answer.last_resort:
        await _stand_in(answer, app, scope, receive, send)
    else:
        await respond(send, answer.status, answer.body, answer.headers)


async def _stand_in(answer: Answer, app: App, scope: Scope, receive: Receive, send: Send) -> None:
    absent = False

    async def listen(message: Message) -> None:
        nonlocal absent
        if message["type"] == "http.response.start":
            absent = message["status"] == NOT_FOUND
        if not absent:
            await send(message)

    await app(scope, receive, listen)
    if absent:
        await respond(send, answer.status, answer.body, answer.headers)
