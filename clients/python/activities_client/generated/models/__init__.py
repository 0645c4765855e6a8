"""Contains all the data models used in inputs/outputs"""

from .activities_open_read import ActivitiesOpenRead
from .activity_gone_read import ActivityGoneRead
from .activity_page import ActivityPage
from .activity_page_meta import ActivityPageMeta
from .activity_patch import ActivityPatch
from .activity_result_create import ActivityResultCreate
from .activity_result_read import ActivityResultRead
from .activity_status import ActivityStatus
from .activity_target_user_read import ActivityTargetUserRead
from .activity_type import ActivityType
from .address_create import AddressCreate
from .address_read import AddressRead
from .ambiguous_provider_id_read import AmbiguousProviderIdRead
from .api_key_create import ApiKeyCreate
from .api_key_created_read import ApiKeyCreatedRead
from .api_key_page import ApiKeyPage
from .api_key_read import ApiKeyRead
from .attempt_read import AttemptRead
from .attempts_read import AttemptsRead
from .attribute_explanation import AttributeExplanation
from .attribute_key_create import AttributeKeyCreate
from .attribute_key_of_policy_read import AttributeKeyOfPolicyRead
from .attribute_key_page import AttributeKeyPage
from .attribute_key_read import AttributeKeyRead
from .attribute_key_update import AttributeKeyUpdate
from .attribute_policy_page import AttributePolicyPage
from .attribute_policy_read import AttributePolicyRead
from .attribute_policy_upsert import AttributePolicyUpsert
from .attribute_policy_upsert_resolver_type import AttributePolicyUpsertResolverType
from .attribute_read import AttributeRead
from .attribute_status import AttributeStatus
from .attribute_strategy import AttributeStrategy
from .attributes_explanation import AttributesExplanation
from .audit_entry_page import AuditEntryPage
from .audit_entry_read import AuditEntryRead
from .audit_entry_read_after_type_0 import AuditEntryReadAfterType0
from .audit_entry_read_before_type_0 import AuditEntryReadBeforeType0
from .audited_resource import AuditedResource
from .batch_result import BatchResult
from .batch_results import BatchResults
from .bulk_cancel_create import BulkCancelCreate
from .bulk_dry_run_read import BulkDryRunRead
from .bulk_filter import BulkFilter
from .bulk_filter_status_item import BulkFilterStatusItem
from .bulk_reschedule_create import BulkRescheduleCreate
from .bulk_retry_create import BulkRetryCreate
from .bulk_settings_read import BulkSettingsRead
from .bulk_settings_update import BulkSettingsUpdate
from .bulk_state import BulkState
from .bulk_verb import BulkVerb
from .cancel_create import CancelCreate
from .candidate_explanation import CandidateExplanation
from .catalogue_entry_create import CatalogueEntryCreate
from .catalogue_entry_page import CatalogueEntryPage
from .catalogue_entry_read import CatalogueEntryRead
from .catalogue_entry_update import CatalogueEntryUpdate
from .cell_read import CellRead
from .channel import Channel
from .claimed_activities import ClaimedActivities
from .claimed_activity_read import ClaimedActivityRead
from .claimed_commerce_read import ClaimedCommerceRead
from .claimed_contact_read import ClaimedContactRead
from .claimed_target_read import ClaimedTargetRead
from .commerce_assignment_read import CommerceAssignmentRead
from .commerce_detail_read import CommerceDetailRead
from .commerce_detail_read_metadata import CommerceDetailReadMetadata
from .commerce_page import CommercePage
from .commerce_read import CommerceRead
from .commerce_read_metadata import CommerceReadMetadata
from .commerce_sync import CommerceSync
from .commerce_sync_item import CommerceSyncItem
from .commerce_sync_item_metadata import CommerceSyncItemMetadata
from .commerce_sync_read import CommerceSyncRead
from .commerce_update import CommerceUpdate
from .commerce_update_metadata import CommerceUpdateMetadata
from .commerce_user_create import CommerceUserCreate
from .commerce_user_of_target_read import CommerceUserOfTargetRead
from .commerce_user_page import CommerceUserPage
from .commerce_user_read import CommerceUserRead
from .commerce_user_sync import CommerceUserSync
from .commerce_user_update import CommerceUserUpdate
from .contact_create import ContactCreate
from .contact_direction import ContactDirection
from .contact_log_entry_page import ContactLogEntryPage
from .contact_log_entry_put import ContactLogEntryPut
from .contact_log_entry_read import ContactLogEntryRead
from .contact_log_put import ContactLogPut
from .contact_log_put_read import ContactLogPutRead
from .contact_read import ContactRead
from .contact_type import ContactType
from .count_activities_status_item import CountActivitiesStatusItem
from .counts_read import CountsRead
from .criteria_source import CriteriaSource
from .criterion_read import CriterionRead
from .criterion_read_criteria_config import CriterionReadCriteriaConfig
from .criterion_type import CriterionType
from .deployment_permission import DeploymentPermission
from .difference import Difference
from .dimension import Dimension
from .dispatch_settings_read import DispatchSettingsRead
from .dispatch_settings_update import DispatchSettingsUpdate
from .event_type import EventType
from .execution_claim import ExecutionClaim
from .explanation_dry_run_read import ExplanationDryRunRead
from .fault import Fault
from .idempotency_key_exists_read import IdempotencyKeyExistsRead
from .item_counts import ItemCounts
from .item_outcome import ItemOutcome
from .item_page import ItemPage
from .item_read import ItemRead
from .label import Label
from .last_contacted import LastContacted
from .last_contacted_config import LastContactedConfig
from .last_contacted_type import LastContactedType
from .lease_extension import LeaseExtension
from .lease_read import LeaseRead
from .lease_release import LeaseRelease
from .limit_reached_read import LimitReachedRead
from .limit_read import LimitRead
from .list_activities_order import ListActivitiesOrder
from .list_activities_sort import ListActivitiesSort
from .list_activities_status_item import ListActivitiesStatusItem
from .listed_operation_page import ListedOperationPage
from .listed_operation_read import ListedOperationRead
from .listed_operation_read_filter import ListedOperationReadFilter
from .liveness import Liveness
from .lock_reason import LockReason
from .matched_by import MatchedBy
from .me_read import MeRead
from .me_read_credential import MeReadCredential
from .operation_detail_read import OperationDetailRead
from .operation_detail_read_filter import OperationDetailReadFilter
from .operation_id_exists_read import OperationIdExistsRead
from .operation_read import OperationRead
from .operation_read_filter import OperationReadFilter
from .operation_unavailable_read import OperationUnavailableRead
from .outcome import Outcome
from .overridden_follow_up_read import OverriddenFollowUpRead
from .page_meta import PageMeta
from .pause_read import PauseRead
from .pause_update import PauseUpdate
from .permission import Permission
from .policy_explanation import PolicyExplanation
from .problem_read import ProblemRead
from .provided_attribute_create import ProvidedAttributeCreate
from .quota_read import QuotaRead
from .quotas_read import QuotasRead
from .readiness import Readiness
from .readiness_missing import ReadinessMissing
from .readiness_status import ReadinessStatus
from .reason_explanation import ReasonExplanation
from .rejected_item_read import RejectedItemRead
from .removal_cause import RemovalCause
from .resolution_moment import ResolutionMoment
from .resolver_type import ResolverType
from .result_status import ResultStatus
from .retention_settings_read import RetentionSettingsRead
from .retention_settings_update import RetentionSettingsUpdate
from .role import Role
from .role_create import RoleCreate
from .role_match import RoleMatch
from .role_match_config import RoleMatchConfig
from .rules_explanation import RulesExplanation
from .scheduled_activity_batch import ScheduledActivityBatch
from .scheduled_activity_create import ScheduledActivityCreate
from .scheduled_activity_read import ScheduledActivityRead
from .status_event_page import StatusEventPage
from .status_event_read import StatusEventRead
from .status_event_read_details_type_0 import StatusEventReadDetailsType0
from .target_assignment import TargetAssignment
from .target_config_create import TargetConfigCreate
from .target_config_page import TargetConfigPage
from .target_config_read import TargetConfigRead
from .target_config_update import TargetConfigUpdate
from .target_explanation import TargetExplanation
from .target_status import TargetStatus
from .target_strategy import TargetStrategy
from .target_user_read import TargetUserRead
from .task_result_create import TaskResultCreate
from .task_result_read import TaskResultRead
from .task_result_type_read import TaskResultTypeRead
from .task_result_type_update import TaskResultTypeUpdate
from .task_result_types_read import TaskResultTypesRead
from .task_result_types_update import TaskResultTypesUpdate
from .tenant_access_read import TenantAccessRead
from .text_explanation import TextExplanation
from .total_not_confirmed_read import TotalNotConfirmedRead
from .trial import Trial
from .trial_config import TrialConfig
from .value_source import ValueSource
from .verdict import Verdict
from .workflow_read import WorkflowRead
from .wrong_status_read import WrongStatusRead

__all__ = (
    "ActivitiesOpenRead",
    "ActivityGoneRead",
    "ActivityPage",
    "ActivityPageMeta",
    "ActivityPatch",
    "ActivityResultCreate",
    "ActivityResultRead",
    "ActivityStatus",
    "ActivityTargetUserRead",
    "ActivityType",
    "AddressCreate",
    "AddressRead",
    "AmbiguousProviderIdRead",
    "ApiKeyCreate",
    "ApiKeyCreatedRead",
    "ApiKeyPage",
    "ApiKeyRead",
    "AttemptRead",
    "AttemptsRead",
    "AttributeExplanation",
    "AttributeKeyCreate",
    "AttributeKeyOfPolicyRead",
    "AttributeKeyPage",
    "AttributeKeyRead",
    "AttributeKeyUpdate",
    "AttributePolicyPage",
    "AttributePolicyRead",
    "AttributePolicyUpsert",
    "AttributePolicyUpsertResolverType",
    "AttributeRead",
    "AttributesExplanation",
    "AttributeStatus",
    "AttributeStrategy",
    "AuditedResource",
    "AuditEntryPage",
    "AuditEntryRead",
    "AuditEntryReadAfterType0",
    "AuditEntryReadBeforeType0",
    "BatchResult",
    "BatchResults",
    "BulkCancelCreate",
    "BulkDryRunRead",
    "BulkFilter",
    "BulkFilterStatusItem",
    "BulkRescheduleCreate",
    "BulkRetryCreate",
    "BulkSettingsRead",
    "BulkSettingsUpdate",
    "BulkState",
    "BulkVerb",
    "CancelCreate",
    "CandidateExplanation",
    "CatalogueEntryCreate",
    "CatalogueEntryPage",
    "CatalogueEntryRead",
    "CatalogueEntryUpdate",
    "CellRead",
    "Channel",
    "ClaimedActivities",
    "ClaimedActivityRead",
    "ClaimedCommerceRead",
    "ClaimedContactRead",
    "ClaimedTargetRead",
    "CommerceAssignmentRead",
    "CommerceDetailRead",
    "CommerceDetailReadMetadata",
    "CommercePage",
    "CommerceRead",
    "CommerceReadMetadata",
    "CommerceSync",
    "CommerceSyncItem",
    "CommerceSyncItemMetadata",
    "CommerceSyncRead",
    "CommerceUpdate",
    "CommerceUpdateMetadata",
    "CommerceUserCreate",
    "CommerceUserOfTargetRead",
    "CommerceUserPage",
    "CommerceUserRead",
    "CommerceUserSync",
    "CommerceUserUpdate",
    "ContactCreate",
    "ContactDirection",
    "ContactLogEntryPage",
    "ContactLogEntryPut",
    "ContactLogEntryRead",
    "ContactLogPut",
    "ContactLogPutRead",
    "ContactRead",
    "ContactType",
    "CountActivitiesStatusItem",
    "CountsRead",
    "CriteriaSource",
    "CriterionRead",
    "CriterionReadCriteriaConfig",
    "CriterionType",
    "DeploymentPermission",
    "Difference",
    "Dimension",
    "DispatchSettingsRead",
    "DispatchSettingsUpdate",
    "EventType",
    "ExecutionClaim",
    "ExplanationDryRunRead",
    "Fault",
    "IdempotencyKeyExistsRead",
    "ItemCounts",
    "ItemOutcome",
    "ItemPage",
    "ItemRead",
    "Label",
    "LastContacted",
    "LastContactedConfig",
    "LastContactedType",
    "LeaseExtension",
    "LeaseRead",
    "LeaseRelease",
    "LimitReachedRead",
    "LimitRead",
    "ListActivitiesOrder",
    "ListActivitiesSort",
    "ListActivitiesStatusItem",
    "ListedOperationPage",
    "ListedOperationRead",
    "ListedOperationReadFilter",
    "Liveness",
    "LockReason",
    "MatchedBy",
    "MeRead",
    "MeReadCredential",
    "OperationDetailRead",
    "OperationDetailReadFilter",
    "OperationIdExistsRead",
    "OperationRead",
    "OperationReadFilter",
    "OperationUnavailableRead",
    "Outcome",
    "OverriddenFollowUpRead",
    "PageMeta",
    "PauseRead",
    "PauseUpdate",
    "Permission",
    "PolicyExplanation",
    "ProblemRead",
    "ProvidedAttributeCreate",
    "QuotaRead",
    "QuotasRead",
    "Readiness",
    "ReadinessMissing",
    "ReadinessStatus",
    "ReasonExplanation",
    "RejectedItemRead",
    "RemovalCause",
    "ResolutionMoment",
    "ResolverType",
    "ResultStatus",
    "RetentionSettingsRead",
    "RetentionSettingsUpdate",
    "Role",
    "RoleCreate",
    "RoleMatch",
    "RoleMatchConfig",
    "RulesExplanation",
    "ScheduledActivityBatch",
    "ScheduledActivityCreate",
    "ScheduledActivityRead",
    "StatusEventPage",
    "StatusEventRead",
    "StatusEventReadDetailsType0",
    "TargetAssignment",
    "TargetConfigCreate",
    "TargetConfigPage",
    "TargetConfigRead",
    "TargetConfigUpdate",
    "TargetExplanation",
    "TargetStatus",
    "TargetStrategy",
    "TargetUserRead",
    "TaskResultCreate",
    "TaskResultRead",
    "TaskResultTypeRead",
    "TaskResultTypesRead",
    "TaskResultTypesUpdate",
    "TaskResultTypeUpdate",
    "TenantAccessRead",
    "TextExplanation",
    "TotalNotConfirmedRead",
    "Trial",
    "TrialConfig",
    "ValueSource",
    "Verdict",
    "WorkflowRead",
    "WrongStatusRead",
)
