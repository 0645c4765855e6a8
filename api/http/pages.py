"""Pages of lists: numbered pages, and cursors, which are as fast on deep pages as on the first."""

import asyncio
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Annotated, Any, Generic, NamedTuple, Self, TypeVar
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from sqlalchemy import ColumnElement, Integer, RowMapping, Select, Uuid, func, select

from api.http.errors import ValidationFailed
from api.http.fields import Answer, RequestBody
from db.engine import Database
from db.rows import fetch_page
from workflows.limits import TEXT_LENGTH
from workflows.messages import Fault
from workflows.tenant_limits import PAGE_BYTES

Item = TypeVar("Item")
Statement = Select[*tuple[Any, ...]]


def _require_storable(value: str) -> str:
    if "\0" in value:
        msg = "must not contain the character NUL"
        raise ValueError(msg)
    return value


Searched = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_LENGTH), AfterValidator(_require_storable)]
"""A text to filter a list by."""

CURSOR_LENGTH = 2_000
"""Base64 makes 1,067 characters of an identifier of 200 characters, each of 4 bytes."""

MOST_PAGES = 1_000_000


def as_list(value: object) -> object:
    """Return a value that was sent alone as the list that it may be."""
    return [value] if isinstance(value, str) else value


class PageQuery(RequestBody):
    """The page to return. Lists with filters extend this class."""

    page: Annotated[int, Field(ge=1, le=MOST_PAGES)] = 1
    per_page: Annotated[int, Field(ge=1, le=100)] = 25


class CursorQuery(PageQuery):
    """The page to return, by its number or by the cursor of the page before."""

    cursor: Annotated[str, StringConstraints(min_length=1, max_length=CURSOR_LENGTH)] | None = Field(
        default=None, description="`meta.nextCursor` of the page before. Don't combine it with `page`."
    )

    @model_validator(mode="after")
    def has_page_or_cursor(self) -> Self:
        """Reject a page number together with a cursor."""
        if self.cursor is not None and self.page > 1:
            msg = "must have either a page or a cursor"
            raise ValueError(msg)
        return self


class PageMeta(Answer):
    """The page's place in the list."""

    page: int
    limit: int
    total: int
    total_pages: int = Field(description="The number of the last page that can be requested.")
    next_cursor: str | None = Field(
        default=None, description="The cursor of the next page. Null on the last page, and in lists without cursors."
    )
    is_shortened: bool = Field(
        default=False,
        description=f"True if the page ends before `limit`, because its items have more than {PAGE_BYTES:,} bytes."
        " Continue by `nextCursor`: the next page by number begins behind the items that are left out.",
    )


class Page(Answer, Generic[Item]):
    """A page of a list."""

    data: list[Item]
    meta: PageMeta


class ListKey(NamedTuple):
    """A unique column, which is the order of a list. A cursor is its value in the last item of a page."""

    column: ColumnElement[Any]
    descending: bool = False

    def order(self, statement: Statement, cursor: str | None) -> Statement:
        """Order the statement, and select what is behind the cursor."""
        statement = statement.order_by(self.column.desc() if self.descending else self.column)
        if cursor is None:
            return statement
        position = _parse_position(cursor, self.column)
        return statement.where(self.column < position if self.descending else self.column > position)


async def read_page(
    database: Database,
    statement: Statement,
    query: PageQuery,
    read: Callable[[RowMapping], Item],
    *,
    key: ListKey | None = None,
) -> Page[Item]:
    """Read one page of an ordered statement. A unique `key` becomes the order and allows cursors.

    A page with cursors ends at `PAGE_BYTES`; items of other lists are small.
    """
    counted = select(func.count()).select_from(statement.order_by(None).subquery())
    if key is not None:
        statement = key.order(statement, query.cursor if isinstance(query, CursorQuery) else None)
    page = statement.limit(query.per_page + 1).offset((query.page - 1) * query.per_page)
    async with database.autocommit.connect() as connection:
        total = (await connection.execute(counted)).scalar_one()
        if key is None:
            rows, goes_on = (await connection.execute(page.limit(query.per_page))).mappings().all(), False
        else:
            rows, goes_on = await fetch_page(connection, page, query.per_page)
    meta = PageMeta(
        page=query.page,
        limit=query.per_page,
        total=total,
        total_pages=count_pages(total, query.per_page),
        next_cursor=format_cursor(str(rows[-1][key.column.name])) if key is not None and goes_on else None,
        is_shortened=goes_on and len(rows) < query.per_page,
    )
    data = []
    for row in rows:
        data.append(read(row))
        await asyncio.sleep(0)  # a user with 100 contacts takes half a millisecond: others have their turn
    return Page(data=data, meta=meta)


def count_pages(total: int, per_page: int) -> int:
    """Count the numbered pages that so many items fill, as far as pages can be requested."""
    return min(-(-total // per_page), MOST_PAGES)


def contains_pattern(text: str) -> str:
    """Return the ILIKE pattern that finds a text anywhere; its special characters are escaped."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def format_cursor(position: str) -> str:
    """Encode a position. Callers must treat the cursor as opaque."""
    return urlsafe_b64encode(position.encode()).decode().rstrip("=")


def parse_cursor(cursor: str) -> str:
    """Return the position that `format_cursor` has encoded.

    Decoding skips characters that are none of Base64: the position is encoded again to find them.

    Raises:
        ValidationFailed: it is not such a cursor.
    """
    try:
        position = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        position = ""
    if format_cursor(position) != cursor or "\0" in position:
        raise _cursor_problem()
    return position


def _parse_position(cursor: str, key: ColumnElement[Any]) -> str | int | UUID:
    """Return the position of a cursor as a value of the key's type.

    Raises:
        ValidationFailed: no page has returned such a cursor.
    """
    position = parse_cursor(cursor)
    if isinstance(key.type, Integer) and re.fullmatch("[0-9]{1,9}", position):
        return int(position)
    if isinstance(key.type, Uuid) and re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", position):
        return UUID(position)
    if isinstance(key.type, Integer | Uuid):
        raise _cursor_problem()
    return position


def _cursor_problem() -> ValidationFailed:
    fault = Fault(pointer="/query/cursor", detail="This is not a cursor that a page returned.")
    return ValidationFailed("The cursor is not valid: send `meta.nextCursor` of a page.", faults=(fault,))
