"""Pages: iterate over all items of a list."""

from collections.abc import Callable, Iterator, Sequence
from inspect import signature
from typing import Any, Protocol, TypeVar

from activities_client.answers import expect
from activities_client.generated.types import Response

PER_PAGE = 100

Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)


class Meta(Protocol):
    """A page's place in its list."""

    @property
    def next_cursor(self) -> str | None:
        """Return the cursor of the next page."""

    @property
    def total_pages(self) -> int:
        """Return the number of the last page."""


class Page(Protocol[Item_co]):
    """A page of a list."""

    @property
    def data(self) -> Sequence[Item_co]:
        """Return the items."""

    @property
    def meta(self) -> Meta:
        """Return the page's place."""


def iterate_items(
    kind: type[Page[Item]], operation: Callable[..., Response[Any]], *arguments: Any, **filters: Any
) -> Iterator[Item]:
    """Yield all items of a list, page by page: `iterate_items(ActivityPage, list_activities.sync_detailed, client=…)`.

    Lists with cursors are followed by them: items that are added meanwhile shift none of the others.

    Raises:
        ApiError: the API has answered with a problem.

    """
    has_cursors = "cursor" in signature(operation).parameters
    place: dict[str, Any] = {}
    number = 1
    while True:
        page = expect(kind, operation(*arguments, **{"per_page": PER_PAGE} | filters | place))
        yield from page.data
        number += 1
        if has_cursors and page.meta.next_cursor is not None:
            place = {"cursor": page.meta.next_cursor}
        elif not has_cursors and number <= page.meta.total_pages:
            place = {"page": number}
        else:
            return
