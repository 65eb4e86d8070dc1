"""The same work for several things, a few of them at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


async def at_once(most: int, things: Iterable[S], work: Callable[[S], Awaitable[T]]) -> list[T]:
    """The results in the order of the things; the first error ends all.

    Args:
        most: how many are worked on at the same time.
        things: to be worked on.
        work: what to do with one.
    """
    free = asyncio.Semaphore(most)

    async def in_turn(one: S) -> T:
        async with free:
            return await work(one)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(in_turn(one)) for one in things]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
