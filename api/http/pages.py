"""Pages of lists: numbered pages, and cursors, which are as fast on deep pages as on the first."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from sqlalchemy import ColumnElement, Integer, RowMapping, Select, func, select

from api.http.errors import ValidationFailed
from api.http.fields import Answer, RequestBody
from db.engine import Database
from workflows.limits import TEXT_LENGTH
from workflows.messages import Fault

Item = TypeVar("Item")
Statement = Select[*tuple[Any, ...]]


def _require_storable(value: str) -> str:
    if "\0" in value:
        msg = "must not contain the character NUL"
        raise ValueError(msg)
    return value


Searched = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_LENGTH), AfterValidator(_require_storable)]
"""A text to filter a list by."""


def as_list(value: object) -> object:
    """Return a parameter that was sent once as the list that it may be."""
    return [value] if isinstance(value, str) else value


MOST_PAGES = 1_000_000


class PageQuery(RequestBody):
    """The page to return. Lists with filters extend this class."""

    page: Annotated[int, Field(ge=1, le=MOST_PAGES)] = 1
    per_page: Annotated[int, Field(ge=1, le=100)] = 25


class CursorQuery(PageQuery):
    """The page to return, by its number or by the cursor of the page before."""

    cursor: Searched | None = Field(
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


class Page(Answer, Generic[Item]):
    """A page of a list."""

    data: list[Item]
    meta: PageMeta


async def read_page(
    database: Database,
    statement: Statement,
    query: PageQuery,
    read: Callable[[RowMapping], Item],
    *,
    key: ColumnElement[str] | ColumnElement[int] | None = None,
) -> Page[Item]:
    """Read one page of an ordered statement. A unique `key` becomes the order and allows cursors."""
    counted = select(func.count()).select_from(statement.order_by(None).subquery())
    after = query.cursor if isinstance(query, CursorQuery) else None
    if key is not None:
        statement = statement.order_by(key)
        statement = statement if after is None else statement.where(key > _parse_position(after, key))
    offset = (query.page - 1) * query.per_page
    async with database.autocommit.connect() as connection:
        total = (await connection.execute(counted)).scalar_one()
        found = (await connection.execute(statement.limit(query.per_page + 1).offset(offset))).mappings().all()
    rows = found[: query.per_page]
    pages = count_pages(total, query.per_page)
    ends_at = rows[-1][key] if key is not None and len(found) > len(rows) else None
    following = None if ends_at is None else format_cursor(str(ends_at))
    meta = PageMeta(page=query.page, limit=query.per_page, total=total, total_pages=pages, next_cursor=following)
    return Page(data=[read(row) for row in rows], meta=meta)


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

    Raises:
        ValidationFailed: it is not such a cursor.
    """
    try:
        position = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        position = "\0"
    if "\0" in position:
        raise _cursor_problem()
    return position


def _parse_position(cursor: str, key: ColumnElement[Any]) -> str | int:
    """Return the position as a value of the key's type."""
    position = parse_cursor(cursor)
    if not isinstance(key.type, Integer):
        return position
    if not re.fullmatch("[0-9]{1,9}", position):
        raise _cursor_problem()
    return int(position)


def _cursor_problem() -> ValidationFailed:
    fault = Fault(pointer="/query/cursor", detail="This is not a cursor that a page returned.")
    return ValidationFailed("The cursor is not valid: send `meta.nextCursor` of a page.", faults=(fault,))
