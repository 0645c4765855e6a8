"""Turns of a tenant's requests: so many at the same time, the others in order, and no queue without end."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from api.http.errors import RateLimited
from api.http.quotas import Quotas
from api.http.turns import Turns, end_turns, large_turn_of, take_turn, turn_of
from db.engine import open_database
from workflows.tenant_limits import LARGE_REQUESTS, LONGEST_QUEUE, REQUESTS_AT_ONCE

MOST = REQUESTS_AT_ONCE.default or 0
TENANT = uuid4()


@pytest.fixture
async def turns() -> AsyncIterator[Turns]:
    """The turns of tenants with the default quotas, as the database doesn't answer."""
    database = open_database("postgresql+psycopg://none@127.0.0.1:1/none")
    yield Turns(Quotas(database))
    await database.dispose()


async def begin(turns: Turns, tenant_id: UUID = TENANT, *, has_gone: bool = False) -> Request:
    """Begin a request of a tenant, whose caller may have gone."""

    async def receive() -> Message:
        if not has_gone:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    request = Request({"type": "http", "state": dict[str, Any]()}, receive)
    await turns.begin(request, tenant_id)
    return request


async def settle() -> None:
    """Let all other tasks go on until they wait."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_so_many_have_their_turn_and_the_next_ones_wait_in_order(turns: Turns) -> None:
    requests = [await begin(turns) for _ in range(MOST + 2)]
    for request in requests[:MOST]:
        await turn_of(request).take()
    order: list[int] = []

    async def wait(number: int) -> None:
        await turn_of(requests[MOST + number]).take()
        order.append(number)

    waiting = [asyncio.create_task(wait(number)) for number in range(2)]
    await settle()
    assert order == []
    other = await begin(turns, uuid4())
    await turn_of(other).take()
    assert turns.most_waiting == 2
    for number in range(2):
        end_turns(requests[number].scope["state"])
        await settle()
        assert order == list(range(number + 1))
    await asyncio.gather(*waiting)
    assert turns.most_waiting == 0


async def test_a_turn_ends_by_itself_and_is_given_back_once(turns: Turns) -> None:
    requests = [await begin(turns) for _ in range(2 * MOST + 1)]
    for request in requests[: 2 * MOST]:
        await turn_of(request).take()  # the second half waits until those of the first half have ended
    for request in requests[:MOST]:
        end_turns(request.scope["state"])
    last = asyncio.create_task(turn_of(requests[-1]).take())
    await settle()
    assert not last.done()
    end_turns(requests[MOST].scope["state"])
    await last


async def test_a_turn_that_is_given_back_early_is_taken_again_behind_others(turns: Turns) -> None:
    requests = [await begin(turns) for _ in range(MOST + 1)]
    for request in requests[:MOST]:
        await turn_of(request).take()
    turn_of(requests[0]).give_back()
    await turn_of(requests[MOST]).take()
    again = asyncio.create_task(turn_of(requests[0]).take(patient=True))
    await settle()
    assert not again.done()
    end_turns(requests[1].scope["state"])
    await again


@pytest.mark.parametrize("has_gone", [True, False], ids=["gone", "waiting"])
async def test_a_request_is_not_begun_if_its_caller_has_gone_while_it_waited(turns: Turns, *, has_gone: bool) -> None:
    requests = [await begin(turns, has_gone=has_gone) for _ in range(MOST + 1)]
    for request in requests[:MOST]:
        await take_turn(request)  # they have not waited, so that nothing asks for their callers
    last = asyncio.create_task(take_turn(requests[MOST]))
    await settle()
    end_turns(requests[0].scope["state"])
    if has_gone:
        with pytest.raises(ClientDisconnect):
            await last
    else:
        await last
    end_turns(requests[MOST].scope["state"])
    another = await begin(turns)
    await turn_of(another).take()


async def test_a_request_without_a_tenant_waits_for_no_turn() -> None:
    request = Request({"type": "http", "state": {}})
    for _ in range(2 * MOST):
        await take_turn(request)
        await large_turn_of(request).take()


async def test_the_turns_of_tenants_that_send_nothing_any_more_are_forgotten(turns: Turns) -> None:
    for _ in range(100):
        request = await begin(turns, uuid4())
        await take_turn(request)
        end_turns(request.scope["state"])
    del request
    gc.collect()
    assert turns.number_of_queues == 0


async def test_a_queue_has_an_end_and_forgets_those_who_have_gone(turns: Turns) -> None:
    requests = [await begin(turns) for _ in range(LARGE_REQUESTS + LONGEST_QUEUE + 1)]
    for request in requests[:LARGE_REQUESTS]:
        await large_turn_of(request).take()
    waiting = [asyncio.create_task(large_turn_of(one).take()) for one in requests[LARGE_REQUESTS:-1]]
    await settle()
    with pytest.raises(RateLimited, match=f"{LARGE_REQUESTS} large requests of the tenant .* Nothing was begun"):
        await large_turn_of(requests[-1]).take()
    waiting[0].cancel()
    await settle()
    last = asyncio.create_task(large_turn_of(requests[-1]).take())
    await settle()
    for request in requests[:LARGE_REQUESTS]:
        end_turns(request.scope["state"])
    for request, task in zip(requests[LARGE_REQUESTS + 1 : -1], waiting[1:], strict=True):
        await task
        end_turns(request.scope["state"])
    await last


async def test_searches_of_a_tenant_go_one_after_the_other(turns: Turns) -> None:
    order: list[str] = []

    async def search(tenant_id: UUID) -> None:
        async with turns.reading_whole(tenant_id):
            order.append("begun")
            await settle()
            order.append("ended")

    await asyncio.gather(*(search(TENANT) for _ in range(3)))
    assert order == ["begun", "ended"] * 3
    order.clear()
    await asyncio.gather(*(search(uuid4()) for _ in range(3)))
    assert order == ["begun"] * 3 + ["ended"] * 3
