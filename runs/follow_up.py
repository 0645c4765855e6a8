"""Create the activity that a result asks for, the first request again under a key of its own, and take it back."""

from uuid import UUID, uuid4

from pydantic import ValidationError
from temporalio.client import Client
from temporalio.exceptions import WorkflowAlreadyStartedError

from db import results
from db.engine import Database
from db.results import FollowUp, OverriddenFollowUp
from runs.ask import LimitedError, UnansweredError
from runs.change import Changes, Withdrawn
from runs.creation import create_activity
from runs.ids import draw_id
from runs.lead import Lead
from runs.start import RunFailedError
from workflows.messages import Apply, Cancel, RejectedError, ScheduledActivityInput, ScheduledActivityRequest


class FollowUps:
    """Creates follow-ups. The key is derived from the result, so that a result never has two."""

    def __init__(self, client: Client, database: Database, lead: Lead) -> None:
        self._client = client
        self._database = database
        self._lead = lead

    async def create(self, wanted: FollowUp, deadline_seconds: float, request_id: str | None = None) -> UUID | None:
        """Create the follow-up and note its id, or why it is rejected, in the result; the result stays as it is.

        `request_id` is that of the request which reports the result; reconciliation has none.

        Returns None if the follow-up was rejected, or if another attempt is creating it at this moment.

        Raises:
            UnansweredError: the follow-up is not recorded within the deadline; a later attempt notes it.
        """
        found, error = wanted.existing_id, None
        if found is None:
            try:
                found = await self._start(wanted, deadline_seconds, request_id)
            except WorkflowAlreadyStartedError:
                return None
            except ValidationError:
                error = "The first request can't be repeated by this version."
            except RejectedError as rejected:
                found, error = rejected.rejection.activity_id, rejected.rejection.detail
            except RunFailedError:
                error = "The reason is ours: see its run."
        async with self._database.autocommit.connect() as connection:
            await connection.execute(results.follow_up_outcome_statement(wanted, found, None if found else error))
        return found

    async def take_back(self, made: OverriddenFollowUp, deadline_seconds: float, request_id: str | None = None) -> None:
        """Cancel a follow-up whose result was overridden, unless it is too late: then it stays as it is.

        Raises:
            UnansweredError: it is neither cancelled nor too late; a later attempt cancels it.
        """
        if made.status not in results.CANCELABLE:
            return
        reason = f"Result {made.overrides_id}, which asked for it, was overridden by result {made.result_id}."
        cancel = Cancel(reason=reason, request_id=request_id)
        wanted = Apply(tenant_id=made.tenant_id, id=made.id, key=str(uuid4()), actor=made.actor, change=cancel)
        changes = Changes(self._client, self._database, self._lead)
        outcome = await changes.carry_out(wanted, made.idempotency_key, made.stored_status, deadline_seconds)
        if isinstance(outcome, Withdrawn):
            raise LimitedError(outcome.detail) if outcome.is_limit else UnansweredError(outcome.detail)

    async def _start(self, wanted: FollowUp, deadline_seconds: float, request_id: str | None) -> UUID:
        request = ScheduledActivityRequest.model_validate(results.follow_up_request(wanted))
        scheduled = ScheduledActivityInput(
            id=draw_id(),
            tenant_id=wanted.tenant_id,
            request=request,
            lead_seconds=self._lead.before(request.scheduled_at),
            actor=wanted.actor,
            request_id=request_id,
        )
        created = await create_activity(self._client, scheduled, deadline_seconds)
        if created is None:
            raise UnansweredError(is_started=True)
        return created.id
