"""The explanation of a resolution, as it is stored and shown: ids and words, never names, contacts or values."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
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
    """A part of an explanation; its members are camelCase, because the stored document is also the API's answer."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, json_schema_serialization_defaults_required=True
    )

    def document(self) -> dict[str, JsonValue]:
        """Compose the JSON object that is sent and stored, without its empty members."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


Instant = Annotated[datetime, PlainSerializer(contract_time, return_type=str, when_used="json")]


class MatchedBy(StrEnum):
    """The kind of text that was matched in a catalogue's entry; `PASSED_THROUGH` when the catalogue is empty."""

    CODE = "CODE"
    LABEL = "LABEL"
    ALIAS = "ALIAS"
    PASSED_THROUGH = "PASSED_THROUGH"


class TextExplanation(Explanation):
    """The match of one text with one entry of a catalogue."""

    text: str = Field(description="As the caller wrote it.")
    code: str
    matched_by: MatchedBy
    matched: str | None = Field(default=None, description="The catalogue's text that it matched.")
    also_matching: tuple[str, ...] = Field(default=(), description="Codes that it matched as well, later in the order.")


class ReasonExplanation(Explanation):
    """The matches of the reason and, when one was given, of the user status."""

    reason: TextExplanation
    user_status: TextExplanation | None = None


class Verdict(StrEnum):
    """The reason why a candidate was taken or passed over, those nearest to being taken first."""

    TAKEN = "TAKEN"
    ANOTHER_CAME_FIRST = "ANOTHER_CAME_FIRST"
    INACTIVE = "INACTIVE"
    UNREACHABLE = "UNREACHABLE"
    CONTACTED_TOO_LONG_AGO = "CONTACTED_TOO_LONG_AGO"
    NEVER_CONTACTED = "NEVER_CONTACTED"
    OTHER_ROLE = "OTHER_ROLE"


class CandidateExplanation(Explanation):
    """The judgement of one commerce user by one criterion."""

    commerce_user_id: UUID
    verdict: Verdict
    why: str
    last_contacted_at: Instant | None = Field(
        default=None, description="As far as this criterion counts contacts: on this channel or on any."
    )


class Outcome(StrEnum):
    """The outcome of a criterion or a fallback."""

    MATCHED = "MATCHED"
    NOBODY = "NOBODY"
    SWITCHED_OFF = "SWITCHED_OFF"


class Trial(Explanation):
    """One criterion or fallback that was tried, with its candidates, those nearest to being taken first."""

    type: CriterionType
    config: dict[str, JsonValue] = {}
    priority: int = 0
    fallback: LockReason | None = None
    outcome: Outcome
    candidates: tuple[CandidateExplanation, ...] = ()
    more_candidates: int = Field(default=0, description="The number of candidates that are not listed.")


class RulesExplanation(Explanation):
    """The target configuration that was in force, and its version."""

    id: UUID
    version: int | None = None


class CriteriaSource(StrEnum):
    """The source of the criteria."""

    REQUEST = "REQUEST"
    CONFIGURATION = "CONFIGURATION"
    NONE = "NONE"


class TargetExplanation(Explanation):
    """The target user, and the criteria and fallbacks that were tried, in the order tried."""

    moment: ResolutionMoment | None = Field(
        default=None, description="Absent if an operator assigned the user, or a claim found the user unreachable."
    )
    strategy: TargetStrategy | None = None
    status: TargetStatus | None = None
    configuration: RulesExplanation | None = Field(default=None, description="Absent if none applies.")
    criteria_from: CriteriaSource | None = None
    criteria: tuple[Trial, ...] = ()
    more_criteria: int = Field(
        default=0, description="The number of criteria that were tried without success and are not listed."
    )
    fallbacks: tuple[Trial, ...] = ()
    commerce_user_id: UUID | None = None
    lock_reason: LockReason | None = None
    summary: str


class ValueSource(StrEnum):
    """The source of an attribute's value."""

    REQUEST = "REQUEST"
    INTERNAL_SERVICE = "INTERNAL_SERVICE"
    FALLBACK = "FALLBACK"


class PolicyExplanation(Explanation):
    """The policy in force; the service's own default, for a key without a policy, has no version."""

    strategy: AttributeStrategy
    resolver_type: ResolverType
    version: int | None = None


class AttributeExplanation(Explanation):
    """The source of one attribute's value, or the error; the value itself is with the attribute."""

    key: str
    status: AttributeStatus
    source: ValueSource | None = None
    policy: PolicyExplanation | None = None
    has_fallback: bool = False
    error: str | None = None


class AttributesExplanation(Explanation):
    """The explanations of the attributes' values."""

    moment: ResolutionMoment
    attributes: tuple[AttributeExplanation, ...] = ()
