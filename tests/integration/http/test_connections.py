"""HTTP as it comes over the wire: offers to upgrade, HTTP/1.0, and callers that hang up."""

import asyncio
import json
import re
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.builders import contract_example, from_now
from tests.support.service import until

OFFERS = {
    "Java's HttpClient": {
        "Connection": "Upgrade, HTTP2-Settings",
        "Upgrade": "h2c",
        "HTTP2-Settings": "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
    },
    "a WebSocket client": {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    },
}

LAST_CHUNK = b"\r\n0\r\n\r\n"
"""Ends a chunked answer. A caller who still sends may find a reset after it instead of the connection's end."""


async def connect(
    client: httpx.AsyncClient, first_line: str, headers: dict[str, str]
) -> tuple[StreamReader, StreamWriter]:
    """Open a connection and send the head of a request, with the client's token and tenant."""
    address = urlsplit(str(client.base_url))
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    own = {name: client.headers[name] for name in ("Authorization", "x-tenant-id")}
    fields = [f"{name}: {value}" for name, value in ({"Host": address.netloc} | own | headers).items()]
    writer.write("\r\n".join([first_line, *fields, "", ""]).encode())
    return reader, writer


async def exchange(
    client: httpx.AsyncClient, first_line: str, headers: dict[str, str], content: bytes
) -> tuple[int, httpx.Headers, bytes]:
    """Send one request and hang up after the whole answer."""
    reader, writer = await connect(client, first_line, headers)
    writer.write(content)
    answered = await answer(reader)
    writer.close()
    return answered


async def answer(reader: StreamReader) -> tuple[int, httpx.Headers, bytes]:
    """Read one answer: its status, its headers and its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    status, *fields = head.strip().split("\r\n")
    answered = httpx.Headers([(name, value) for name, _, value in (field.partition(": ") for field in fields)])
    return int(status.split()[1]), answered, await whole(reader, answered)


async def whole(reader: StreamReader, headers: httpx.Headers) -> bytes:
    """Read a body that is framed by its length, by chunks, or by the end of the connection."""
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    if "transfer-encoding" in headers:
        return await reader.readuntil(LAST_CHUNK)
    return await reader.read()


@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS.keys())
async def test_a_request_that_offers_an_upgrade_keeps_its_body(
    http: httpx.AsyncClient, log: StringIO, offer: dict[str, str]
) -> None:
    content = json.dumps(contract_example(scheduled_at=from_now(hours=1))).encode()
    single = {"Content-Type": "application/json", "Content-Length": str(len(content))} | offer
    status, headers, body = await exchange(http, "POST /api/activities HTTP/1.1", single, content)
    assert (status, json.loads(body)["status"]) == (201, "READY")
    assert "upgrade" not in headers
    lines = b"".join(json.dumps(contract_example(scheduled_at=from_now(hours=1))).encode() + b"\n" for _ in range(3))
    batch = {"Content-Type": "application/x-ndjson", "Transfer-Encoding": "chunked"} | offer
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(lines), lines)
    status, _, body = await exchange(http, "POST /api/activities/batch HTTP/1.1", batch, chunks)
    assert status == 200
    assert body.count(b'"status":201') == 3
    warnings = [line for line in log.getvalue().splitlines() if json.loads(line)["level"] != "info"]
    assert warnings == []


@pytest.mark.parametrize("media_type", ["application/json", "application/x-ndjson"])
async def test_a_caller_of_http_1_0_is_answered_without_chunks(http: httpx.AsyncClient, media_type: str) -> None:
    item = json.dumps(contract_example(scheduled_at=from_now(hours=1))).encode()
    content = b'{"activities":[%b]}' % item if media_type == "application/json" else item
    sent = {"Content-Type": media_type, "Content-Length": str(len(content))}
    status, headers, body = await exchange(http, "POST /api/activities/batch HTTP/1.0", sent, content)
    assert (status, "transfer-encoding" in headers) == (200, False)
    answer = json.loads(body)
    assert (answer["results"][0] if media_type == "application/json" else answer)["status"] == 201


@pytest.mark.parametrize("path", ["/api/activities/batch", "/api/activities/stream"])
async def test_a_caller_that_waits_for_100_before_its_lines_is_asked_for_them(
    http: httpx.AsyncClient, path: str
) -> None:
    """Java's HttpClient never sends a body that it was not asked for, although the answer has begun."""
    item = json.dumps(contract_example(scheduled_at=from_now(hours=1))).encode()
    declared = {"Content-Type": "application/x-ndjson", "Content-Length": str(len(item)), "Expect": "100-continue"}
    reader, writer = await connect(http, f"POST {path} HTTP/1.1", declared)
    async with asyncio.timeout(60):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        writer.write(item)
        answer = await reader.readuntil(LAST_CHUNK)
        assert b'"status":201' in answer or b'"status":202' in answer  # 202 on a busy machine
    writer.close()


@pytest.mark.parametrize(("path", "status"), [("/no/such/path", 404), ("/api/activities/stream", 415)])
async def test_a_caller_that_waits_for_100_is_refused_without_it(
    http: httpx.AsyncClient, path: str, status: int
) -> None:
    declared = {"Content-Type": "text/plain", "Content-Length": "1000", "Expect": "100-continue"}
    reader, writer = await connect(http, f"POST {path} HTTP/1.1", declared)
    assert (await answer(reader))[0] == status
    writer.close()


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("http://other.example/health/live?a=http://b", 200),
        ("HTTPS://other.example:8443/health/live", 200),
        ("http://other.example", 307),
        ("/http://other.example/health/live", 404),
        ("/health/live?a=http://other.example/b", 200),
    ],
)
async def test_a_target_may_be_a_whole_url(http: httpx.AsyncClient, target: str, status: int) -> None:
    """RFC 9112 section 3.2.2: a server must accept the form that is sent to proxies."""
    reader, writer = await connect(http, f"GET {target} HTTP/1.1", {})
    got, *_ = await answer(reader)
    writer.close()
    assert got == status


async def test_a_connection_that_has_been_idle_for_seconds_takes_the_next_request(http: httpx.AsyncClient) -> None:
    """Uvicorn's default closes it after five: a request that is sent at that moment is lost."""
    reader, writer = await connect(http, "GET /health/live HTTP/1.1", {})
    first, *_ = await answer(reader)
    await asyncio.sleep(6)
    writer.write(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    second, *_ = await answer(reader)
    assert (first, second) == (200, 200)
    writer.close()


HUNG_UP = {
    "creation": ("/api/activities", "application/json", b'{"type": "MESS'),
    "batch": ("/api/activities/batch", "application/json", b'{"activities": [{'),
    "lines": ("/api/activities/batch", "application/x-ndjson", b'{"type": "MESSAGE"}\n{"type'),
    "sync": ("/api/commerces/sync", "application/json", b'{"items": [{'),
    "long poll": ("/api/executions/claim", "application/json", b'{"channels": ['),
}


@pytest.mark.parametrize(("path", "media_type", "half"), HUNG_UP.values(), ids=HUNG_UP.keys())
async def test_a_caller_that_hangs_up_in_the_middle_of_a_body_is_499_and_no_defect(
    http: httpx.AsyncClient, log: StringIO, path: str, media_type: str, half: bytes
) -> None:
    before = await counted(http, path)
    async with opened(http, f"POST {path} HTTP/1.1", {"Content-Type": media_type, "Content-Length": "1000"}) as sending:
        sending.write(half)
        await sending.drain()
    after = await until_counted(http, path, "499", before)
    assert after == before | {"499": before.get("499", 0) + 1}
    assert [line["level"] for line in lines_about(log, path)] == ["info"]


async def test_a_caller_that_hangs_up_while_it_waits_is_499_and_is_handed_nothing(
    http: httpx.AsyncClient, log: StringIO
) -> None:
    path = "/api/executions/claim"
    before = await counted(http, path)
    claim = json.dumps({"channels": ["WHATSAPP"], "executor": "gone", "wait_seconds": 20}).encode()
    declared = {"Content-Type": "application/json", "Content-Length": str(len(claim))}
    async with opened(http, f"POST {path} HTTP/1.1", declared) as waiting:
        waiting.write(claim)
        await waiting.drain()
    due = await http.post("/api/activities", json=contract_example())
    assert await until_counted(http, path, "499", before) == before | {"499": before.get("499", 0) + 1}
    assert (await until(http, due.headers["Location"], "DUE"))["status"] == "DUE"
    assert [line["level"] for line in lines_about(log, path)] == ["info"]


@asynccontextmanager
async def opened(client: httpx.AsyncClient, first_line: str, headers: dict[str, str]) -> AsyncIterator[StreamWriter]:
    """Send the head of a request, with the client's token and tenant; hang up when the block ends."""
    _, writer = await connect(client, first_line, headers)
    try:
        yield writer
    finally:
        writer.close()


async def counted(http: httpx.AsyncClient, route: str) -> dict[str, float]:
    """Return how many POST requests of this route were answered so far, by their status."""
    exposition = (await http.get("/metrics")).text
    found = re.findall(
        rf'^http_requests_total{{method="POST",route="{route}",status="(\d+)"}} (\S+)$', exposition, re.MULTILINE
    )
    return {status: float(number) for status, number in found}


async def until_counted(http: httpx.AsyncClient, route: str, status: str, before: dict[str, float]) -> dict[str, float]:
    """Wait until one more request was answered with this status."""
    async with asyncio.timeout(60):
        while (now := await counted(http, route)).get(status, 0) == before.get(status, 0):
            await asyncio.sleep(0.02)
    return now


def lines_about(log: StringIO, route: str) -> list[dict[str, Any]]:
    """Return the log's lines about requests of this route, and all that complain."""
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in lines if line.get("route") == route or line["level"] != "info"]
