"""What resolution is told: frozen and complete, so that the same facts always give the same answer."""

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
    """An entry of a tenant's catalogue with everything by which a text may mean it."""

    aliases: tuple[str, ...] = ()
    is_active: bool = True


class ReasonFacts(Message):
    """The texts of a request and the two catalogues that give them a meaning."""

    reason: str
    user_status: str | None = None
    reasons: tuple[CatalogueEntry, ...] = ()
    user_statuses: tuple[CatalogueEntry, ...] = ()


class Candidate(Message):
    """A user of the commerce; words that this version doesn't know are kept as they are and fit nothing."""

    id: UUID
    roles: frozenset[str] = frozenset()
    contact_types: frozenset[str] = frozenset()
    is_active: bool = True
    last_contacted_at: datetime | None = None
    last_contacted_on_channel_at: datetime | None = None


class TargetRules(Message):
    """The target configuration in force; the defaults are what holds for a tenant without any."""

    id: UUID | None = None
    version: int | None = None
    strategy: TargetStrategy = TargetStrategy.ON_CREATION
    criteria: tuple[TargetCriterion, ...] = ()
    fallback_to_commerce_rep: bool = True
    fallback_to_owner: bool = True


class Occasion(Message):
    """When something is resolved: the moment, and by the database's clock whether the activity's time has come."""

    moment: ResolutionMoment = ResolutionMoment.CREATION
    now: datetime
    scheduled_at: datetime

    def calls_for(self, status: TargetStatus | AttributeStatus) -> bool:
        """Whether what stands like this in the row is to be resolved now; what was found is never looked for again."""
        if status in {TargetStatus.FAILED, AttributeStatus.FAILED}:
            return self.moment is ResolutionMoment.RETRY
        if status in {TargetStatus.PENDING, AttributeStatus.PENDING}:
            return self.moment is ResolutionMoment.WAKE_UP or self.scheduled_at <= self.now
        return False


class TargetFacts(Occasion):
    """Everything that decides whom an activity is aimed at; `standing` is what the row says after creation."""

    channel: Channel
    requested: tuple[TargetCriterion, ...] | None = None
    rules: TargetRules = TargetRules()
    candidates: tuple[Candidate, ...] = ()
    standing: ResolvedTarget | None = None


class Policy(Message):
    """How, and when, the value of an attribute is found; without a version it is our own default."""

    strategy: AttributeStrategy
    resolver_type: ResolverType
    version: int | None = None


class CataloguedKey(Message):
    """A name that attributes may have, with the tenant's policy for it."""

    key: str
    policy: Policy | None = None


class CommerceFacts(Message):
    """What our own tables say about the commerce."""

    name: str
    tax_id: str | None = None
    addresses: tuple[dict[str, JsonValue], ...] = ()


class AttributeFacts(Occasion):
    """Everything that decides the attributes' values; `standing` is what the rows say after creation."""

    requested_keys: tuple[str, ...] = ()
    provided: tuple[ProvidedAttribute, ...] = ()
    catalogue: tuple[CataloguedKey, ...] = ()
    commerce: CommerceFacts | None = None
    standing: tuple[ResolvedAttribute, ...] = ()
