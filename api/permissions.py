"""The permissions as the OpenAPI document explains them, and the one that each route needs."""

from fastapi.routing import APIRoute

from api.http.auth import Permission
from api.http.dependencies import REQUIRED

MEANINGS = {
    "CREATE_ACTIVITY": "Create, explain, move and resolve activities.",
    "VIEW_ACTIVITIES": "Read activities, bulk operations, and the configuration.",
    "CANCEL_ACTIVITY": "Cancel activities.",
    "DISPATCH_ACTIVITY": "Claim due activities, keep their leases, and make activities due at once.",
    "MANAGE_ACTIVITY_CONFIG": "Change catalogues, policies, target configurations and settings.",
    "MANAGE_COMMERCES": "Read and change commerces, their users and their contact logs.",
    "SYNC_COMMERCES": "Create and update commerces in bulk.",
    "SUBMIT_ACTIVITY_RESULT": "Report the results of activities.",
    "OPERATE": "Pause the tenant, read the audit, and see the runs in Temporal.",
    "MANAGE_API_KEYS": "Issue and revoke the tenant's API keys.",
    "ERASE_PERSONAL_DATA": "Erase personal data of commerces and users, and set the retention.",
    "DECODE_PAYLOADS": "Decode encrypted payloads in Temporal's console.",
}

TOKENS = """
## Tokens and permissions

A token is a JWT that the issuer has signed by RS256, ES256 or EdDSA, with the claims `exp`, `iss`, `aud`, `sub` and
`tenants`: `{"<tenant uuid>": ["<permission>", …]}`. `sub` is stored as the actor of what the token's bearer does. Each
operation names the permission that it needs, as `x-permission` too:

| Permission | Allows to |
|---|---|
"""


def needs_credential(route: APIRoute) -> bool:
    """Return whether the route refuses requests without a valid credential."""
    return any(dependency.call in REQUIRED for dependency in route.dependant.dependencies)


def required_permission(route: APIRoute) -> Permission | None:
    """Return the permission that the route's dependencies enforce."""
    found = (REQUIRED.get(dependency.call) for dependency in route.dependant.dependencies if dependency.call)
    return next(filter(None, found), None)


def describe_permissions() -> str:
    """Return the section of the document that explains tokens and lists all permissions."""
    return TOKENS + "".join(f"| `{one}` | {MEANINGS[one]} |\n" for one in Permission)
