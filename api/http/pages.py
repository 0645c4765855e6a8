"""Lists in pages: numbered ones as the vendor has them, and a cursor that stays cheap however deep one goes."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from sqlalchemy import ColumnElement, Row, Select, func, select

from api.http.errors import ValidationFailed
from api.http.fields import Answer, RequestBody
from db.engine import Database
from workflows.limits import TEXT_LENGTH
from workflows.messages import Fault

Item = TypeVar("Item")
Statement = Select[*tuple[Any, ...]]


def _storable(value: str) -> str:
    if "\0" in value:
        msg = "must not contain the character NUL"
        raise ValueError(msg)
    return value


Searched = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_LENGTH), AfterValidator(_storable)]
"""A text that a list is filtered by."""


class PageQuery(RequestBody):
    """Which page of a list; a list with filters of its own extends this."""

    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    per_page: Annotated[int, Field(ge=1, le=100)] = 25


class CursorQuery(PageQuery):
    """Which page, by number or by the cursor that the page before came with."""

    cursor: Searched | None = Field(default=None, description="`meta.nextCursor` of the page before; not with `page`.")

    @model_validator(mode="after")
    def page_or_cursor(self) -> Self:
        """Both would be two answers to one question."""
        if self.cursor is not None and self.page > 1:
            msg = "give either page or cursor"
            raise ValueError(msg)
        return self


class PageMeta(Answer):
    """Where in the list the page is."""

    page: int
    limit: int
    total: int
    total_pages: int
    next_cursor: str | None = Field(default=None, description="Absent on the last page, and where lists are short.")


class Page(Answer, Generic[Item]):
    """A page of a list."""

    data: list[Item]
    meta: PageMeta


async def page_of(
    database: Database,
    statement: Statement,
    query: PageQuery,
    read: Callable[[Row[*tuple[Any, ...]]], Item],
    *,
    key: ColumnElement[str] | None = None,
) -> Page[Item]:
    """Read one page of an ordered statement; with a unique `key`, which is then the order, also by cursor."""
    counted = select(func.count()).select_from(statement.order_by(None).subquery())
    after = query.cursor if isinstance(query, CursorQuery) else None
    if key is not None:
        statement = statement.order_by(key)
        statement = statement if after is None else statement.where(key > position_in(after))
    offset = (query.page - 1) * query.per_page
    async with database.autocommit.connect() as connection:
        total = (await connection.execute(counted)).scalar_one()
        found = (await connection.execute(statement.limit(query.per_page + 1).offset(offset))).all()
    rows = found[: query.per_page]
    pages = -(-total // query.per_page)
    ends_at = rows[-1]._mapping[key] if key is not None and len(found) > len(rows) else None  # noqa: SLF001
    following = None if ends_at is None else cursor_at(ends_at)
    meta = PageMeta(page=query.page, limit=query.per_page, total=total, total_pages=pages, next_cursor=following)
    return Page(data=[read(row) for row in rows], meta=meta)


def containing(text: str) -> str:
    """The pattern for ILIKE that finds a text anywhere; what it holds of the pattern's own signs means itself."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def cursor_at(position: str) -> str:
    """A position as callers see it: nothing to build on."""
    return urlsafe_b64encode(position.encode()).decode().rstrip("=")


def position_in(cursor: str) -> str:
    """What `cursor_at` was given.

    Raises:
        ValidationFailed: it never was.
    """
    try:
        position = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        position = "\0"
    if "\0" in position:
        fault = Fault(pointer="/query/cursor", detail="This is no cursor that a page came with.")
        raise ValidationFailed("The cursor is not valid.", faults=(fault,))
    return position
