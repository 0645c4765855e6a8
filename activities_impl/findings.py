"""Look at rows one by one, so that one that fails does not stop the others, and report the findings of a step."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from temporalio import activity

from db.failures import concerns_row, kind
from db.tenant import acting_for
from runs.patience import WHOLE_ROW_PATIENCE
from workflows.findings import Compared, Cursor, Finding

EXAMPLES = 10
"""The most activities that a finding names."""
ROWS_AT_ONCE = 10
"""Fewer than the pool has connections, which other steps need as well."""

Found = dict[Finding, list[str]]
"""The ids of the activities, results or operations with each finding."""


class Row(Protocol):
    """A row of a tenant that has an id."""

    @property
    def tenant_id(self) -> UUID:
        """Return the tenant, whose rows alone are seen while the row is settled."""

    @property
    def id(self) -> UUID:
        """Return the id that findings name."""


AnyRow = TypeVar("AnyRow", bound=Row)


def merge_found(first: Found, second: Found) -> Found:
    """Return the findings of both, those of the first before those of the second."""
    return first | {finding: first.get(finding, []) + ids for finding, ids in second.items()}


async def settle_each(rows: Sequence[AnyRow], settle: Callable[[AnyRow], Awaitable[Finding | None]]) -> Found:
    """Settle rows, some at once; a failure that may concern the row alone is a finding.

    Raises:
        SQLAlchemyError, OSError: PostgreSQL is away, so that the other rows would fail as well.
    """
    turn = asyncio.Semaphore(ROWS_AT_ONCE)
    found: Found = {}

    async def settle_in_turn(row: AnyRow) -> None:
        async with turn:
            finding, name = await _try_to_settle(row, settle)
        if finding:
            found.setdefault(finding, []).append(name)

    ended = await asyncio.gather(*(settle_in_turn(row) for row in rows), return_exceptions=True)
    for failure in ended:
        if failure:
            raise failure
    return found


async def _try_to_settle(
    row: AnyRow, settle: Callable[[AnyRow], Awaitable[Finding | None]]
) -> tuple[Finding | None, str]:
    try:
        async with asyncio.timeout(WHOLE_ROW_PATIENCE.total_seconds()):
            with acting_for(row.tenant_id):
                return await settle(row), str(row.id)
    except Exception as failure:
        if not (isinstance(failure, TimeoutError) or concerns_row(failure)):
            raise
        return Finding.FAILED, note_failure(str(row.id), failure)


def note_failure(name: str, failure: BaseException) -> str:
    """Log the failure of a row or a run, and return it as an example of a finding names it."""
    activity.logger.warning("reconciling %s failed: %s", name, kind(failure))
    return f"{name}: {kind(failure)}"


def report(found: Found, rows: int = 0) -> Compared:
    """Count the findings, and name some activities of each."""
    counts = {finding: len(ids) for finding, ids in found.items() if ids}
    count_findings(counts)
    examples = {finding: tuple(ids[:EXAMPLES]) for finding, ids in found.items() if ids}
    return Compared(rows=rows, counts=counts, examples=examples)


def report_page(found: Found, position: tuple[Cursor | None, bool], rows: int = 0) -> Compared:
    """Report the findings of a page, the row behind which the next page begins, and whether there is a next one."""
    after, has_more = position
    return report(found, rows).model_copy(update={"after": after, "has_more": has_more})


def count_findings(counts: dict[Finding, int]) -> None:
    """Add to the worker's /metrics; zeros are added too, so that the first finding shows as an increase."""
    meter = activity.metric_meter()
    findings = meter.create_counter("reconciliation_findings", "Rows and runs that differed, by what was found.")
    for finding in Finding:
        findings.add(counts.get(finding, 0), {"finding": finding.value})
