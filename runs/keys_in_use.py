"""Find the keys that the payloads of open runs and of schedules are encrypted with."""

import asyncio
from collections import Counter

from google.protobuf.message import Message
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from runs.payloads import find_payloads, read_key_id
from runs.schedule import SCHEDULE_IDS

AT_ONCE = 20


async def count_keys_in_use(client: Client) -> Counter[str]:
    """Read the history of every open run, and the schedules; return the number of those that need each key.

    A row names the key that its run began with. A process that still encrypted with another key, because its keys were
    changed later, may have written to the same run.
    """
    found: Counter[str] = Counter()
    for schedule_id in SCHEDULE_IDS.values():
        found.update(await _read_schedule(client, schedule_id))
    some: list[tuple[str, str]] = []
    async for run in client.list_workflows("ExecutionStatus = 'Running'"):
        some.append((run.id, run.run_id))
        if len(some) == AT_ONCE:
            found.update(await _read_histories(client, some))
            some = []
    found.update(await _read_histories(client, some))
    return found


async def _read_histories(client: Client, runs: list[tuple[str, str]]) -> list[str]:
    found = await asyncio.gather(*(_read_history(client, *run) for run in runs))
    return [key_id for key_ids in found for key_id in key_ids]


async def _read_history(client: Client, workflow_id: str, run_id: str) -> set[str]:
    found: set[str] = set()
    try:
        async for event in client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history_events():
            found |= _find_key_ids(event)
    except RPCError as failure:
        if failure.status is not RPCStatusCode.NOT_FOUND:
            raise
    return found  # a run that was deleted after it had been listed needs nothing


async def _read_schedule(client: Client, schedule_id: str) -> set[str]:
    try:
        return _find_key_ids((await client.get_schedule_handle(schedule_id).describe()).raw_description)
    except RPCError as failure:
        if failure.status is not RPCStatusCode.NOT_FOUND:
            raise
        return set()


def _find_key_ids(message: Message) -> set[str]:
    return {key_id for payload in find_payloads(message) if (key_id := read_key_id(payload)) is not None}
