"""GET /api/me: the subject of the request's credential, with its tenants and permissions."""

from collections.abc import Set as AbstractSet
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from api.http.auth import DeploymentPermission, Permission
from api.http.dependencies import Identified
from api.http.errors import ALWAYS, WITH_CALLER, PermissionDenied, list_problems
from api.http.fields import Answer

router = APIRouter(prefix="/api/me", tags=["credentials"])
PROBLEMS = list_problems(*(one for one in WITH_CALLER if one is not PermissionDenied), *ALWAYS)


class TenantAccessRead(Answer):
    """A tenant that the credential may act in."""

    id: UUID
    permissions: list[Permission] = Field(description="The permissions in this tenant.")


class MeRead(Answer):
    """The subject of a credential, and what it may do."""

    subject: str = Field(
        description="The claim `sub` of the token, or `key:` and the id of the API key: the actor of what it does."
    )
    credential: Literal["token", "API key"] = Field(description="The kind of credential that was sent.")
    tenant_id: UUID | None = Field(
        description="The tenant that the request names, else the only one of the credential; null if there are several."
    )
    permissions: list[Permission] = Field(description="The permissions in `tenantId`; empty if that is null.")
    tenants: list[TenantAccessRead] = Field(description="All tenants that the credential may act in.")
    deployment: list[DeploymentPermission] = Field(description="The permissions for the whole deployment.")


@router.get("", responses=PROBLEMS)
async def get_me(identity: Identified) -> MeRead:
    """Return the subject, the tenants and the permissions of the credential that the request is sent with.

    Any valid token or API key may ask, without a permission and without `x-tenant-id`. Permissions that this version
    of the service doesn't know are left out.
    """
    caller = identity.caller
    return MeRead(
        subject=caller.subject,
        credential=caller.credential,
        tenant_id=caller.tenant_id if identity.is_in_tenant else None,
        permissions=_known(caller.permissions),
        tenants=[
            TenantAccessRead(id=tenant_id, permissions=_known(permissions))
            for tenant_id, permissions in sorted(identity.tenants.items())
        ],
        deployment=[one for one in DeploymentPermission if one in identity.deployment],
    )


def _known(permissions: AbstractSet[str]) -> list[Permission]:
    return [one for one in Permission if one in permissions]
