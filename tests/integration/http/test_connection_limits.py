"""Limits of a connection: the size of a head, and the time that heads, bodies and answers may take."""

import asyncio
import json
from asyncio import StreamReader
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from urllib.parse import urlsplit

import httpx
import pytest

from api.http.middleware import HEADERS
from tests.integration.http.test_connections import LAST_CHUNK, answer, connect
from tests.integration.http.test_response_headers import assert_protected
from tests.support.builders import contract_example
from tests.support.service import Service, http_client, resources, running_api
from tests.support.tcp import send_repeatedly
from workflows.tenant_limits import CHUNK_BYTES, HEAD_BYTES, HEAD_LINES, PARAMETERS, SMALL_CHUNKS

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


async def test_a_connection_beyond_the_limit_is_told_when_to_come_back(service: Service) -> None:
    opened = resources(service.roles.api, service.temporal)
    async with running_api(opened, connections=2) as url, AsyncExitStack() as stack:
        first, second, third = [await stack.enter_async_context(http_client(url)) for _ in range(3)]
        assert [(await one.get("/health/live")).status_code for one in (first, second)] == [200, 200]
        refused = await third.get("/health/live")
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert (refused.headers["Retry-After"], refused.headers["Connection"]) == ("2", "close")
        assert_protected(refused)
        await second.aclose()
        async with asyncio.timeout(60):
            while (await third.get("/health/live")).status_code != 200:
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("sent", ["\x16\x03\x01\r\n\r\n", f"{GET}\r\n\r\n", f"{GET}\r\nHost: x\r\nX-A: {'a' * 70_000}"])
async def test_an_answer_of_the_server_itself_is_protected_too(http: httpx.AsyncClient, sent: str) -> None:
    address = urlsplit(str(http.base_url))
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(sent.encode())
    _, headers, body = await answer(reader)
    writer.close()
    assert {name: headers[name.lower()] for name in HEADERS} == HEADERS
    assert (headers["connection"], bool(body)) == ("close", True)


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
    writer.write(f"{GET}\r\n".encode())
    trickling = asyncio.create_task(send_repeatedly(writer, b"x", 0.5))
    async with asyncio.timeout(60):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 408 ")
        with suppress(ConnectionError):
            await reader.read()
    trickling.cancel()
    writer.close()


@pytest.mark.parametrize(("lines", "status"), [(HEAD_LINES, 200), (HEAD_LINES + 1, 431)])
async def test_a_head_may_have_so_many_lines(http: httpx.AsyncClient, lines: int, status: int) -> None:
    own = 4  # the first line, Host, Authorization and x-tenant-id
    reader, writer = await connect(http, GET, {f"x-{number}": "a" for number in range(lines - own)})
    got, _, body = await answer(reader)
    writer.close()
    assert (got, b"200 lines at most" in body) == (status, status == 431)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
async def test_the_lines_of_a_body_do_not_count_as_lines_of_its_head(http: httpx.AsyncClient, end: bytes) -> None:
    """RFC 9112 section 2.2 lets a server take a bare LF for the end of a line, and h11 does."""
    address = urlsplit(str(http.base_url))
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    body = b"\n" * HEAD_LINES
    head = (b"POST /no/such/path HTTP/1.1", b"Host: x", b"Content-Length: %d" % len(body), b"", body)
    writer.write(end.join(head))
    assert (await answer(reader))[0] == 404
    writer.close()


@pytest.mark.parametrize("cut", [1, 2])
async def test_a_head_of_the_most_lines_may_arrive_in_two_parts(http: httpx.AsyncClient, cut: int) -> None:
    address = urlsplit(str(http.base_url))
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = f"{GET}\r\nHost: x\r\n".encode() + b"x-a: a\r\n" * (HEAD_LINES - 2) + b"\r\n"
    writer.write(head[:-cut])
    await asyncio.sleep(0.2)
    writer.write(head[-cut:])
    assert (await answer(reader))[0] == 200
    writer.close()


@pytest.mark.parametrize(("number", "status"), [(PARAMETERS, 200), (PARAMETERS + 1, 400)])
async def test_a_query_may_have_so_many_parameters(http: httpx.AsyncClient, number: int, status: int) -> None:
    answer = await http.get("/health/live?" + "&".join(f"p{one}=a" for one in range(number)))
    assert answer.status_code == status
    assert status == 200 or f"at most {PARAMETERS} parameters" in answer.json()["detail"]


@pytest.mark.parametrize(("size", "status"), [(CHUNK_BYTES, 413), (CHUNK_BYTES // 2, 400)])
async def test_chunks_of_a_body_may_not_all_be_tiny(http: httpx.AsyncClient, size: int, status: int) -> None:
    """Chunks of half the size are too many before the body is too long."""
    headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    reader, writer = await connect(http, "POST /api/activities HTTP/1.1", headers)
    number = 100 * SMALL_CHUNKS
    with suppress(ConnectionError):
        for _ in range(100):
            writer.write((b"%x\r\n%b\r\n" % (size, b" " * size)) * (number // 100))
            await writer.drain()
    with suppress(ConnectionError):
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert status != 400 or b"in larger chunks" in await reader.read()
    writer.close()


async def test_small_chunks_of_a_small_body_are_read(http: httpx.AsyncClient) -> None:
    content = json.dumps(contract_example(scheduled_at="2030-01-01T00:00:00Z")).encode()
    headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    reader, writer = await connect(http, "POST /api/activities HTTP/1.1", headers)
    writer.write(b"".join(b"1\r\n%c\r\n" % byte for byte in content) + b"0\r\n\r\n")
    assert (await answer(reader))[0] == 201
    writer.close()


async def test_what_comes_or_is_taken_too_slowly_is_ended_with_a_reason(http: httpx.AsyncClient) -> None:
    """All at once: each of them takes its whole time."""
    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        for ended in (a_slow_body, a_slow_line, a_body_that_was_answered, an_answer_that_is_not_taken):
            group.create_task(ended(http))


async def a_slow_body(http: httpx.AsyncClient) -> None:
    async with sending(http, "/api/activities", "application/json", b" ") as reader:
        status, headers, body = await answer(reader)
    assert (status, headers["connection"], json.loads(body)["code"]) == (408, "close", "body_too_slow")
    assert "must arrive within 20 s, and 1 s more for each 32 KB of it. Send it faster" in json.loads(body)["detail"]


async def a_slow_line(http: httpx.AsyncClient) -> None:
    item = json.dumps(contract_example(idempotency_key="first line")).encode()
    async with sending(http, "/api/activities/batch", "application/x-ndjson", item + b"\n ") as reader:
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        lines = (await reader.readuntil(LAST_CHUNK)).splitlines()
    results = [json.loads(line) for line in lines if line.startswith(b"{")]
    assert [(one["index"], one["status"]) for one in results] == [(0, 201), (1, 408)]
    assert results[1]["body"]["code"] == "body_too_slow"


async def a_body_that_was_answered(http: httpx.AsyncClient) -> None:
    async with sending(http, "/no/such/path", "application/json", b" ") as reader:
        assert (await answer(reader))[0] == 404
        with suppress(ConnectionError):
            assert await reader.read() == b""


@asynccontextmanager
async def sending(http: httpx.AsyncClient, path: str, media_type: str, first: bytes) -> AsyncIterator[StreamReader]:
    """Send the head of a request and its first bytes, and then a blank now and then; yield what reads the answer."""
    headers = {"Content-Type": media_type, "Content-Length": "1000"}
    reader, writer = await connect(http, f"POST {path} HTTP/1.1", headers)
    writer.write(first)
    going_on = asyncio.create_task(send_repeatedly(writer, b" ", 1))
    try:
        yield reader
    finally:
        going_on.cancel()
        writer.transport.abort()


async def an_answer_that_is_not_taken(http: httpx.AsyncClient) -> None:
    """Ask for so much that neither side's buffers hold it, until the server has closed the connection."""
    address = urlsplit(str(http.base_url))
    _, writer = await asyncio.open_connection(address.hostname, address.port, limit=1)
    writer.write(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
    await send_repeatedly(writer, b"GET", 0.5)
    writer.transport.abort()
