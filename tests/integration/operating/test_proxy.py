"""Run nginx with the documented configuration before the API: what it lets through, and what it keeps away."""

import asyncio
import json
import re
import shutil
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from embedded.temporal_server import free_port
from tests.integration.http.test_connections import answer, connect
from tests.support.builders import COMMERCE_ID, Tenant, contract_example, from_now
from tests.support.service import Service

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="needs nginx: install it (Debian, Ubuntu: apt install nginx)")

CONFIGURATION = (Path(__file__).parents[3] / "deploy" / "nginx.conf").read_text()
BUFFERS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
LINES = "application/x-ndjson"


@pytest.fixture
async def proxied(service: Service, tenant: Tenant, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Run nginx before the API; yield a client of it."""
    assert NGINX is not None
    port = free_port()
    folders = "\n".join(f"{one}_temp_path {tmp_path / one};" for one in BUFFERS)
    configuration = CONFIGURATION.replace("127.0.0.1:8000", urlsplit(service.url).netloc)
    configuration = configuration.replace("listen 8080", f"listen 127.0.0.1:{port}").replace(
        "http {", "http {" + folders
    )
    (tmp_path / "nginx.conf").write_text(configuration)
    globally = f"daemon off; user root; pid {tmp_path}/pid; error_log stderr;"
    nginx = await asyncio.create_subprocess_exec(
        NGINX, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-e", "stderr", "-g", globally
    )
    try:
        async with service.client(tenant.id) as http:
            http.base_url = httpx.URL(f"http://127.0.0.1:{port}")
            async with asyncio.timeout(60):
                while not await is_listening(port):
                    assert nginx.returncode is None, "nginx ended"
                    await asyncio.sleep(0.05)
            yield http
    finally:
        with suppress(ProcessLookupError):
            nginx.terminate()
        await nginx.wait()


async def is_listening(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def test_requests_and_answers_pass_unchanged(proxied: httpx.AsyncClient, service: Service) -> None:
    body = contract_example(scheduled_at=from_now(hours=1))
    created = await proxied.post("/api/activities", json=body, headers={"X-Request-Id": "mine"})
    assert (created.status_code, created.headers["X-Request-Id"]) == (201, "mine")
    assert re.match(r'"requests";r=\d+;t=1', created.headers["RateLimit"])
    url = created.headers["Location"]
    read = await proxied.get(url)
    changed = await proxied.patch(url, json={"score": 1}, headers={"If-Match": read.headers["ETag"]})
    stale = await proxied.patch(url, json={"score": 2}, headers={"If-Match": read.headers["ETag"]})
    assert (read.headers["ETag"], changed.status_code, stale.status_code) == ('"1"', 200, 412)
    assert (await proxied.post("/api/activities", json=body)).status_code == 409
    assert (await proxied.get("/api/activities", params={"status": ["READY", "DUE"]})).status_code == 200
    assert [(await proxied.get(path)).status_code for path in ("/metrics", "/health/live")] == [404, 404]
    async with service.caller() as within:
        assert (await within.get("/health/live")).status_code == 200


async def test_large_bodies_reach_the_api_which_names_its_limits(proxied: httpx.AsyncClient) -> None:
    items = [{"external_id": f"store {n}", "name": "S", "metadata": {"a": "b" * 900}} for n in range(1_000)]
    taken = await proxied.post("/api/commerces/sync", json={"items": items})
    long = await proxied.post("/api/commerces/sync", content=b" " * (8 * 1024 * 1024 + 1))
    single = await proxied.post("/api/activities", content=b" " * (256 * 1024 + 1))
    assert (taken.json()["created"], long.status_code, single.status_code) == (1_000, 413, 413)
    assert "at most 8,388,608 bytes" in long.json()["detail"]
    assert "at most 262,144 bytes" in single.json()["detail"]


async def test_results_of_lines_come_while_the_batch_is_sent(proxied: httpx.AsyncClient) -> None:
    headers = {"Content-Type": LINES, "Transfer-Encoding": "chunked"}
    reader, writer = await connect(proxied, "POST /api/activities/batch HTTP/1.1", headers)
    for number in range(3):
        line = json.dumps(contract_example(idempotency_key=f"line {number}")).encode() + b"\n"
        writer.write(b"%x\r\n%b\r\n" % (len(line), line))
        found = await read_until(reader, b'"status":201')
        assert b'"index":%d' % number in found
    writer.write(b"0\r\n\r\n")
    await read_until(reader, b"0\r\n\r\n")
    writer.close()


async def test_slow_and_endless_callers_are_kept_away_from_the_api(proxied: httpx.AsyncClient) -> None:
    """Hundreds of half-open connections take none of the API's, and the slow ones end."""
    address = urlsplit(str(proxied.base_url))
    half_open = [await asyncio.open_connection(address.hostname, address.port) for _ in range(400)]
    for number, (_, writer) in enumerate(half_open):
        writer.write(b"POST /api/activities HTTP/1.1\r\nHost: x"[: 1 + number % 40])
    body = {"Content-Type": "application/json", "Content-Length": "1000"}
    slow = await connect(proxied, "POST /api/activities HTTP/1.1", body)
    slow[1].write(b"{")
    endless, sending = await connect(
        proxied, "GET /api/activities HTTP/1.1", {f"x-{n}": "a" * 1_000 for n in range(40)}
    )
    assert (await answer(endless))[0] == 400
    sending.close()
    assert (await proxied.post("/api/activities", json=contract_example())).status_code == 201
    async with asyncio.timeout(90):
        ends = await asyncio.gather(*(end_of(one) for one in (*half_open, slow)))
    assert set(ends) <= {b"", b"HTTP/1.1 408 Request Time-out", b"HTTP/1.1 400 Bad Request"}
    listed = await proxied.get("/api/activities", params={"per_page": 1})
    assert listed.json()["meta"]["total"] == 1


async def end_of(connected: tuple[StreamReader, StreamWriter]) -> bytes:
    """Wait until the server has closed the connection; return the first line of its last words."""
    reader, writer = connected
    words = b""
    with suppress(ConnectionError):
        words = await reader.read()
    writer.close()
    return words.partition(b"\r\n")[0]


async def read_until(reader: StreamReader, sign: bytes) -> bytes:
    async with asyncio.timeout(60):
        return await reader.readuntil(sign)


async def test_a_commerce_of_many_bytes_passes(proxied: httpx.AsyncClient) -> None:
    url = f"/api/commerces/{COMMERCE_ID}"
    for name in "ab":
        metadata = {f"{name}{number}": "x" * 1_000 for number in range(100)}
        assert (await proxied.patch(url, json={"metadata": metadata})).status_code == 200
    assert len((await proxied.get(url)).json()["metadata"]) == 200
