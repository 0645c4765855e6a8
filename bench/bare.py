"""Measure creations without HTTP, called in this process: the difference to `create` is the share of the route."""

import importlib
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

from api.activities.schemas import ScheduledActivityCreate
from bench.create import OURS, PEERS
from bench.load import Call, body
from bench.machine import machine
from bench.peers.route import Create
from bench.results import Results
from bench.servers import python
from bench.steps import in_turns
from db.engine import open_database
from embedded.demo_ids import TENANT_ID
from runs.client import connect
from runs.start import start_run
from settings import DatabaseSettings, EncryptionSettings
from workflows.messages import ScheduledActivityInput, Snapshot


async def run(results: Results, *, rounds: int, seconds: float) -> None:
    """Measure ours and the peers in turns; the peers read their servers' addresses from the environment."""
    with machine() as servers:
        servers.database("bare")
        servers.start_ours()
        servers.start("naive worker", python("-m", "bench.peers.naive_temporal", "work"), database="bare")
        os.environ |= {"DATABASE_URL": servers.postgres.url("bare"), "TEMPORAL_ADDRESS": servers.temporal.address}
        client = await connect(EncryptionSettings().key_ring)

        async def ours(scheduled: ScheduledActivityInput) -> Snapshot:
            return await start_run(client, scheduled, 10)

        async with AsyncExitStack() as stack:
            database = open_database(DatabaseSettings().database_url.get_secret_value())
            stack.push_async_callback(database.dispose)
            creating: dict[str, Create] = {OURS: ours}
            for name, (module, _) in PEERS.items():
                opening: Callable[..., Any] = importlib.import_module(f"bench.peers.{module}").opening
                creating[name] = await stack.enter_async_context(opening(database))
            calls = {name: _call(create) for name, create in creating.items()}
            await in_turns(results, "create without HTTP", calls, rounds, seconds)


def _call(create: Create) -> Call:
    async def one() -> None:
        request = ScheduledActivityCreate.model_validate(body()).as_request()
        await create(ScheduledActivityInput(id=uuid4(), tenant_id=TENANT_ID, request=request))

    return one
