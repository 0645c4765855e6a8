"""Judge in SQL whether target users can still be reached, by the rules of `workflows.resolution.criteria`."""

from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    ScalarSelect,
    Text,
    and_,
    case,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    true,
)

from db.models import CommerceUser, TargetUser
from db.rows import Expression, parts_of
from workflows.resolution.criteria import REACHED_BY
from workflows.words import ContactType


def why_unreachable(activities: CTE) -> ScalarSelect[str]:
    """Select why the target user of each of these activities can't be reached on its channel; null if it can be.

    It is a subquery for each row, so that no estimate makes the planner read all target users.
    """
    channel = activities.c.channel
    by_channel = [(channel == one, " or ".join(needed)) for one, needed in REACHED_BY.items()]
    lacks = func.concat(" has no ", case(*by_channel), " contact, which ", channel, " needs.")
    reason = case((CommerceUser.is_active, lacks), else_=literal(" is inactive.", Text))
    return (
        select(func.concat("User ", CommerceUser.id, reason, type_=Text))
        .join_from(
            TargetUser,
            CommerceUser,
            and_(CommerceUser.tenant_id == TargetUser.tenant_id, CommerceUser.id == TargetUser.commerce_user_id),
        )
        .where(
            parts_of(TargetUser, activities.c.tenant_id, activities.c.id),
            not_(and_(CommerceUser.is_active, _has_contact(channel))),
        )
        .order_by(TargetUser.id)
        .limit(1)
        .correlate(activities)
        .scalar_subquery()
    )


def _has_contact(channel: Expression) -> ColumnElement[bool]:
    """Match a commerce user with a contact of a type that the channel needs; some channels need none."""
    by_channel = [
        (channel == one, or_(*(CommerceUser.contacts.contains(_contacts_of(kind)) for kind in needed)))
        for one, needed in REACHED_BY.items()
    ]
    return case(*by_channel, else_=true())


def _contacts_of(kind: ContactType) -> ColumnElement[Any]:
    return literal_column(f"""'[{{"contact_type": "{kind}"}}]'::jsonb""")
