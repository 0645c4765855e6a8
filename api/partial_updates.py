"""The body of a PATCH: what isn't mentioned stays, and null empties what may be empty."""

from typing import Any, ClassVar

from api.schemas import RequestBody


class PartialUpdate(RequestBody):
    """A body whose members are all optional; a null where nothing may be empty equals absence."""

    clearable: ClassVar[frozenset[str]] = frozenset()

    def changes(self) -> dict[str, Any]:
        """The members that change something, JSON-ready."""
        mentioned = self.model_dump(mode="json", include=self.model_fields_set)
        return {name: value for name, value in mentioned.items() if value is not None or name in self.clearable}
