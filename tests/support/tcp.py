"""TCP connections that lead elsewhere, are cut, or are slow."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from embedded.postgres import Postgres


@asynccontextmanager
async def tcp_address(postgres: Postgres) -> AsyncIterator[int]:
    """Forward a port of 127.0.0.1 to the server until the block ends; yields the port."""
    path = next(postgres.socket_folder.glob(".s.PGSQL.*[0-9]"))

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            there, back = await asyncio.open_unix_connection(str(path))
            await asyncio.gather(pump(reader, back), pump(there, writer))

    async with await asyncio.start_server(forward, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, length: int | None = None) -> None:
    """Copy from one to the other until the end, or until so many bytes."""
    left = sys.maxsize if length is None else length
    with suppress(OSError):
        while left and (data := await reader.read(min(left, 65536))) and not writer.is_closing():
            writer.write(data)
            await writer.drain()
            left -= len(data)
    writer.close()


async def send_repeatedly(writer: asyncio.StreamWriter, data: bytes, seconds: float) -> None:
    """Send `data` again and again, with so many seconds in between, until the other side closes the connection."""
    with suppress(ConnectionError):
        while not writer.is_closing():
            writer.write(data)
            await writer.drain()
            await asyncio.sleep(seconds)


@asynccontextmanager
async def cutting_proxy(port: int, *lengths: int) -> AsyncIterator[int]:
    """Forward a port to another one. The first connections are cut after so many bytes of answers; yields the port."""
    left = iter(lengths)

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = next(left, None)
        there, back = await asyncio.open_connection("127.0.0.1", port)
        sending = asyncio.create_task(pump(reader, back))
        await pump(there, writer, length)
        back.close()
        await sending

    async with await asyncio.start_server(forward, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
