"""Limits of a connection: the size of a head, and the time that it may take."""

import asyncio
from urllib.parse import urlsplit

import httpx
import pytest

from tests.integration.http.test_connections import answer, connect
from workflows.tenant_limits import HEAD_BYTES

GET = "GET /health/live HTTP/1.1"


async def test_a_head_of_the_largest_size_is_answered_and_a_longer_one_is_431(http: httpx.AsyncClient) -> None:
    for extra, status in ((-1_000, 200), (1_000, 431)):
        headers = {f"x-{number}": "a" * 1_000 for number in range(31)} | {"x-last": "a" * (HEAD_BYTES - 31_600 + extra)}
        reader, writer = await connect(http, GET, headers)
        got, _, body = await answer(reader)
        writer.close()
        assert got == status, body
    assert b"at most 32,768 bytes. Send fewer or shorter headers." in body


@pytest.mark.parametrize("megabytes", [1, 16])
async def test_headers_without_end_are_answered_431_and_read_no_further(
    http: httpx.AsyncClient, megabytes: int
) -> None:
    address = urlsplit(str(http.base_url))
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(f"{GET}\r\n".encode())
    written = 0
    try:
        while written < megabytes:
            writer.write((b"x-a: " + b"a" * 1_000 + b"\r\n") * 1_000)
            await writer.drain()
            written += 1
        assert b" 431 " in await reader.readline()
    except ConnectionError:
        assert written < 16  # the server has closed the connection while more was sent
    writer.close()


async def test_half_open_connections_are_closed_and_idle_ones_stay_for_reuse(http: httpx.AsyncClient) -> None:
    address = urlsplit(str(http.base_url))
    half_open = [await asyncio.open_connection(address.hostname, address.port) for _ in range(200)]
    for number, (_, writer) in enumerate(half_open):
        writer.write(GET.encode()[: number % len(GET)])
    idle = await connect(http, GET, {})
    assert (await answer(idle[0]))[0] == 200
    assert (await http.get("/api/activities")).status_code == 200
    async with asyncio.timeout(60):
        ends = await asyncio.gather(*(reader.read() for reader, _ in half_open))
    assert all(end.startswith(b"HTTP/1.1 408 ") and b"within 10 s." in end for end in ends)
    idle[1].write(f"{GET}\r\nHost: x\r\n\r\n".encode())
    assert (await answer(idle[0]))[0] == 200
    for _, writer in (*half_open, idle):
        writer.close()


async def test_a_head_that_trickles_on_a_reused_connection_is_closed(http: httpx.AsyncClient) -> None:
    reader, writer = await connect(http, GET, {})
    assert (await answer(reader))[0] == 200
    trickling = asyncio.create_task(trickle(writer))
    async with asyncio.timeout(60):
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
    trickling.cancel()
    writer.close()


async def trickle(writer: asyncio.StreamWriter) -> None:
    writer.write(f"{GET}\r\n".encode())
    while True:
        writer.write(b"x")
        await asyncio.sleep(0.5)
