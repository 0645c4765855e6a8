"""Why a resolution came out as it did, as it is stored and shown: ids and words, never names, contacts or values."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue, PlainSerializer
from pydantic.alias_generators import to_camel

from workflows.display import contract_time
from workflows.words import (
    AttributeStatus,
    AttributeStrategy,
    CriterionType,
    LockReason,
    ResolutionMoment,
    ResolverType,
    TargetStatus,
    TargetStrategy,
)


class Explanation(BaseModel):
    """Part of an explanation; its members are camelCase from the start, for the stored document is the answer."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    def document(self) -> dict[str, Any]:
        """Compose the JSON object that travels and is stored; what is empty isn't there."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


Instant = Annotated[datetime, PlainSerializer(contract_time, return_type=str, when_used="json")]


class MatchedBy(StrEnum):
    """Which text of a catalogue's entry was met; `PASSED_THROUGH` when the tenant keeps no catalogue."""

    CODE = "CODE"
    LABEL = "LABEL"
    ALIAS = "ALIAS"
    PASSED_THROUGH = "PASSED_THROUGH"


class TextExplanation(Explanation):
    """What text met what."""

    text: str = Field(description="As the caller wrote it.")
    code: str
    matched_by: MatchedBy
    matched: str | None = Field(default=None, description="The catalogue's text that it met.")
    also_matching: tuple[str, ...] = Field(default=(), description="Codes that it met as well, later in the order.")


class ReasonExplanation(Explanation):
    """How the reason, and the user status when one was given, were understood."""

    reason: TextExplanation
    user_status: TextExplanation | None = None


class Verdict(StrEnum):
    """Why a candidate was taken or passed over; the nearer to being taken, the earlier."""

    TAKEN = "TAKEN"
    ANOTHER_CAME_FIRST = "ANOTHER_CAME_FIRST"
    INACTIVE = "INACTIVE"
    UNREACHABLE = "UNREACHABLE"
    CONTACTED_TOO_LONG_AGO = "CONTACTED_TOO_LONG_AGO"
    NEVER_CONTACTED = "NEVER_CONTACTED"
    OTHER_ROLE = "OTHER_ROLE"


class CandidateExplanation(Explanation):
    """One commerce user as one criterion saw them."""

    commerce_user_id: UUID
    verdict: Verdict
    why: str
    last_contacted_at: Instant | None = Field(
        default=None, description="As far as this criterion counts contacts: on this channel or on any."
    )


class Outcome(StrEnum):
    """What a criterion or a fallback led to."""

    MATCHED = "MATCHED"
    NOBODY = "NOBODY"
    SWITCHED_OFF = "SWITCHED_OFF"


class Trial(Explanation):
    """One criterion or fallback that was tried, with the candidates that it saw, those nearest to being taken first."""

    type: CriterionType
    config: dict[str, JsonValue] = {}
    priority: int = 0
    fallback: LockReason | None = None
    outcome: Outcome
    candidates: tuple[CandidateExplanation, ...] = ()
    more_candidates: int = Field(default=0, description="How many more were seen than are listed.")


class RulesExplanation(Explanation):
    """Which target configuration, in which version, was in force."""

    id: UUID
    version: int | None = None


class CriteriaSource(StrEnum):
    """Who said which criteria are tried."""

    REQUEST = "REQUEST"
    CONFIGURATION = "CONFIGURATION"
    NONE = "NONE"


class TargetExplanation(Explanation):
    """Whom the activity is aimed at, and what was tried to find them, in the order tried."""

    moment: ResolutionMoment | None = Field(default=None, description="Absent: an operator has assigned the user.")
    strategy: TargetStrategy | None = None
    status: TargetStatus | None = None
    configuration: RulesExplanation | None = Field(default=None, description="Absent: none applies.")
    criteria_from: CriteriaSource | None = None
    criteria: tuple[Trial, ...] = ()
    more_criteria: int = Field(default=0, description="How many more were tried, without success, than are listed.")
    fallbacks: tuple[Trial, ...] = ()
    commerce_user_id: UUID | None = None
    lock_reason: LockReason | None = None
    summary: str


class ValueSource(StrEnum):
    """Where an attribute's value came from."""

    REQUEST = "REQUEST"
    INTERNAL_SERVICE = "INTERNAL_SERVICE"
    FALLBACK = "FALLBACK"


class PolicyExplanation(Explanation):
    """The policy in force; without a version it is the service's own default for a key that has none."""

    strategy: AttributeStrategy
    resolver_type: ResolverType
    version: int | None = None


class AttributeExplanation(Explanation):
    """How one attribute's value was found, or why it wasn't; the value itself is with the attribute."""

    key: str
    status: AttributeStatus
    source: ValueSource | None = None
    policy: PolicyExplanation | None = None
    has_fallback: bool = False
    error: str | None = None


class AttributesExplanation(Explanation):
    """How the attributes' values were found."""

    moment: ResolutionMoment
    attributes: tuple[AttributeExplanation, ...] = ()
