"""The facts that decide a resolution: frozen and complete, so that equal facts give equal answers."""

from datetime import datetime
from uuid import UUID

from pydantic import JsonValue

from workflows.messages import Label, Message, ProvidedAttribute, ResolvedAttribute, ResolvedTarget, TargetCriterion
from workflows.words import (
    AttributeStatus,
    AttributeStrategy,
    Channel,
    ResolutionMoment,
    ResolverType,
    TargetStatus,
    TargetStrategy,
)


class CatalogueEntry(Label):
    """An entry of a tenant's catalogue, with all the texts that may mean it."""

    aliases: tuple[str, ...] = ()
    is_active: bool = True


class SimilarName(Message):
    """A name that resembles a text, and the code of its entry."""

    name: str
    code: str


class ReasonFacts(Message):
    """The texts of a request, and the entries of the two catalogues that may decide what they mean.

    Without similar names these are whole catalogues, or the entries that match. With similar names no active entry
    matches, and these are the names to suggest.
    """

    reason: str
    user_status: str | None = None
    reasons: tuple[CatalogueEntry, ...] = ()
    similar_reasons: tuple[SimilarName, ...] | None = None
    user_statuses: tuple[CatalogueEntry, ...] = ()
    similar_user_statuses: tuple[SimilarName, ...] | None = None


class Candidate(Message):
    """A user of the commerce; roles and contact types that this version doesn't know fit no criterion."""

    id: UUID
    roles: frozenset[str] = frozenset()
    contact_types: frozenset[str] = frozenset()
    is_active: bool = True
    last_contacted_at: datetime | None = None
    last_contacted_on_channel_at: datetime | None = None


class TargetRules(Message):
    """The target configuration in force; the defaults are those of a tenant without any."""

    id: UUID | None = None
    version: int | None = None
    strategy: TargetStrategy = TargetStrategy.ON_CREATION
    criteria: tuple[TargetCriterion, ...] = ()
    fallback_to_commerce_rep: bool = True
    fallback_to_owner: bool = True


class Occasion(Message):
    """The occasion of a resolution: its moment, and the time by the database's clock."""

    moment: ResolutionMoment = ResolutionMoment.CREATION
    now: datetime
    scheduled_at: datetime

    def is_to_be_resolved(self, status: TargetStatus | AttributeStatus) -> bool:
        """Return whether a part with this status is resolved on this occasion; a part that was found never is."""
        if status in {TargetStatus.FAILED, AttributeStatus.FAILED}:
            return self.moment is ResolutionMoment.RETRY
        if status in {TargetStatus.PENDING, AttributeStatus.PENDING}:
            return self.moment is ResolutionMoment.WAKE_UP or self.scheduled_at <= self.now
        return False


class TargetFacts(Occasion):
    """The facts that decide the target user; `standing` is the row's target after creation.

    The candidates are all users of the commerce; or, if `candidates_total` is their number, at least those that any
    criterion's trial lists.
    """

    channel: Channel
    requested: tuple[TargetCriterion, ...] | None = None
    rules: TargetRules = TargetRules()
    candidates: tuple[Candidate, ...] = ()
    candidates_total: int | None = None
    standing: ResolvedTarget | None = None

    @property
    def number_of_users(self) -> int:
        """Return the number of the commerce's users."""
        return len(self.candidates) if self.candidates_total is None else self.candidates_total


class Policy(Message):
    """The way and time in which an attribute's value is found; the service's own default has no version."""

    strategy: AttributeStrategy
    resolver_type: ResolverType
    version: int | None = None


class CataloguedKey(Message):
    """An attribute key of the tenant's catalogue, with its policy."""

    key: str
    policy: Policy | None = None


class CommerceFacts(Message):
    """The commerce, as our own tables hold it."""

    name: str
    tax_id: str | None = None
    addresses: tuple[dict[str, JsonValue], ...] = ()


class AttributeFacts(Occasion):
    """The facts that decide the attributes' values; `standing` is the rows' attributes after creation.

    The catalogue has at least the keys that are asked for; without `similar_keys` it is the whole one.
    """

    requested_keys: tuple[str, ...] = ()
    provided: tuple[ProvidedAttribute, ...] = ()
    catalogue: tuple[CataloguedKey, ...] = ()
    similar_keys: tuple[str, ...] | None = None
    commerce: CommerceFacts | None = None
    standing: tuple[ResolvedAttribute, ...] = ()
