"""/api/activity-config/reasons and /api/user-retention-statuses: a tenant's two text catalogues."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field, StringConstraints
from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from api.http.auth import Caller
from api.http.bodies import Json
from api.http.dependencies import CanConfigure, CanView, Opened
from api.http.errors import AlreadyExists, LimitReached, NotFound, problem_responses
from api.http.fields import LIST_LENGTH, Answer, PartialUpdate, RequestBody, Text
from api.http.limits import require_within
from api.http.pages import CursorQuery, ListKey, Page, Searched, contains_pattern, read_page
from db.limits import count_aliases_statement, count_statement
from db.models import CatalogueEntry, Reason, UserStatus
from db.name_keys import find_name_keys
from db.rows import ADVISORY_LOCK_STATEMENT, lock_parameters
from workflows.tenant_limits import CATALOGUE_ALIASES, CATALOGUE_ENTRIES, Limit

Code = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[.]*[A-Za-z0-9_-][A-Za-z0-9._-]*$")]
Aliases = Annotated[list[Text], Field(max_length=LIST_LENGTH)]


class CatalogueEntryCreate(RequestBody):
    """A new entry. Requests may use its code, label or any alias; case, accents and separators don't matter."""

    code: Code
    label: Text
    aliases: Aliases = Field(default_factory=list)
    is_active: bool = True


class CatalogueEntryUpdate(PartialUpdate):
    """Changes to an entry. `aliases` are replaced as a whole."""

    label: Text | None = None
    aliases: Aliases | None = None
    is_active: bool | None = None


class CatalogueEntryRead(Answer):
    """An entry of a catalogue."""

    code: str
    label: str
    aliases: list[str]
    is_active: bool


class CatalogueQuery(CursorQuery):
    """The entries to return."""

    search: Searched | None = Field(default=None, description="Find this text in code and label, in any case.")
    is_active: bool | None = None


@dataclass(frozen=True)
class Catalogue:
    """The routes of one catalogue. Both catalogues have the same routes, over different tables."""

    entry: type[CatalogueEntry]
    singular: str
    plural: str

    @property
    def noun(self) -> str:
        """Return the entry's name in a sentence."""
        return self.singular.replace("_", " ")

    @property
    def owner(self) -> str:
        """Return the catalogue's name at the beginning of a sentence."""
        return f"The catalogue of {self.plural.replace('_', ' ')}"

    def router(self, prefix: str) -> APIRouter:
        """Return the router of the catalogue under this path."""
        router = APIRouter(prefix=prefix, tags=["configuration"])
        router.get("", name=f"list_{self.plural}", responses=problem_responses())(self.list_entries)
        router.post(
            "",
            name=f"create_{self.singular}",
            status_code=201,
            responses=problem_responses(AlreadyExists, LimitReached),
        )(self.create_entry)
        router.patch(
            "/{code}",
            name=f"update_{self.singular}",
            responses=problem_responses(NotFound, LimitReached),
        )(self.update_entry)
        return router

    async def list_entries(
        self, caller: CanView, opened: Opened, query: Annotated[CatalogueQuery, Query()]
    ) -> Page[CatalogueEntryRead]:
        """List the entries, by code."""
        entry = self.entry
        statement = select(entry.__table__).where(entry.tenant_id == caller.tenant_id)
        if query.search is not None:
            pattern = contains_pattern(query.search)
            statement = statement.where(or_(entry.code.ilike(pattern), entry.label.ilike(pattern)))
        if query.is_active is not None:
            statement = statement.where(entry.is_active == query.is_active)
        return await read_page(
            opened.database, statement, query, CatalogueEntryRead.model_validate, key=ListKey(entry.__table__.c.code)
        )

    async def create_entry(
        self,
        caller: CanConfigure,
        opened: Opened,
        body: Json[CatalogueEntryCreate],
    ) -> CatalogueEntryRead:
        """Add an entry. While the catalogue is empty, requests may use any text; with the first entry that ends."""
        values = body.model_dump()
        keys = await asyncio.to_thread(find_name_keys, caller.tenant_id, body.code, body.label, body.aliases)
        statement = (
            insert(self.entry)
            .values(tenant_id=caller.tenant_id, name_keys=keys, **values)
            .on_conflict_do_nothing()
            .returning(*self.entry.__table__.columns)
        )
        limit = await opened.quotas.find_limit(caller.tenant_id, CATALOGUE_ENTRIES)
        limit_of_aliases = await opened.quotas.find_limit(caller.tenant_id, CATALOGUE_ALIASES)
        async with opened.database.begin_as(caller.subject) as connection:
            await connection.execute(ADVISORY_LOCK_STATEMENT, lock_parameters(self.plural, caller.tenant_id))
            row = (await connection.execute(statement)).mappings().one_or_none()
            if row is None:
                detail = f"This tenant has a {self.noun} with the code {body.code!r} already: change that one."
                raise AlreadyExists(detail)
            count = count_statement(self.entry, caller.tenant_id)
            await require_within(connection, limit, count, self.owner)
            if body.aliases:
                await self._require_few_aliases(connection, caller, limit_of_aliases)
        return CatalogueEntryRead.model_validate(row)

    async def update_entry(
        self,
        caller: CanConfigure,
        opened: Opened,
        code: Annotated[Code, Path()],
        body: Json[CatalogueEntryUpdate],
    ) -> CatalogueEntryRead:
        """Change or deactivate an entry. Activities that were created with it stay as they are."""
        entry, changes = self.entry, body.changes()
        this = (entry.tenant_id == caller.tenant_id, entry.code == code)
        limit_of_aliases = await opened.quotas.find_limit(caller.tenant_id, CATALOGUE_ALIASES)
        async with opened.database.begin_as(caller.subject) as connection:
            await connection.execute(ADVISORY_LOCK_STATEMENT, lock_parameters(self.plural, caller.tenant_id))
            stored = (await connection.execute(select(entry.__table__).where(*this))).mappings().one_or_none()
            if stored is None:
                raise NotFound(f"This tenant has no {self.noun} with the code {code!r}.")
            label, aliases = body.label or stored["label"], stored["aliases"] if body.aliases is None else body.aliases
            keys = await asyncio.to_thread(find_name_keys, caller.tenant_id, code, label, aliases)
            statement = update(entry).where(*this).values(name_keys=keys, **changes)
            written = await connection.execute(statement.returning(*entry.__table__.columns))
            row = written.mappings().one()
            if len(aliases) > len(stored["aliases"]):
                await self._require_few_aliases(connection, caller, limit_of_aliases)
        return CatalogueEntryRead.model_validate(row)

    async def _require_few_aliases(self, connection: AsyncConnection, caller: Caller, limit: Limit) -> None:
        count = count_aliases_statement(self.entry, caller.tenant_id)
        await require_within(connection, limit, count, self.owner)


REASONS = Catalogue(Reason, "reason", "reasons").router("/api/activity-config/reasons")
USER_STATUSES = Catalogue(UserStatus, "user_status", "user_statuses").router("/api/user-retention-statuses")
