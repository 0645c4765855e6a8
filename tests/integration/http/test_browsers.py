"""Use the API from a page in a browser: only pages of the configured origins may."""

import httpx

from tests.integration.http.test_response_headers import assert_protected
from tests.support.builders import Tenant
from tests.support.service import Service

PAGE = "https://shop.example"
PREFLIGHT = {
    "Origin": PAGE,
    "Access-Control-Request-Method": "PATCH",
    "Access-Control-Request-Headers": "authorization,x-tenant-id,if-match,content-type,idempotency-key",
}
PATH = "/api/activities"


async def test_a_page_of_a_configured_origin_may_send_every_header_and_read_ours(
    service: Service, tenant: Tenant
) -> None:
    async with service.beside(origins=[PAGE]) as beside, beside.client(tenant.id) as http:
        asked = await http.options(PATH, headers=PREFLIGHT)
        assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, PAGE)
        assert "PATCH" in asked.headers["access-control-allow-methods"]
        assert_protected(asked)
        for answer in (
            await http.get(PATH, headers={"Origin": PAGE}),
            await http.get(f"{PATH}/none", headers={"Origin": PAGE}),
        ):
            assert answer.headers["access-control-allow-origin"] == PAGE
            exposed = answer.headers["access-control-expose-headers"]
            assert {"ETag", "Location", "Retry-After", "RateLimit", "X-Request-Id"} <= set(exposed.split(", "))
        assert "access-control-allow-credentials" not in answer.headers


async def test_a_page_of_another_origin_may_not(service: Service, tenant: Tenant) -> None:
    async with service.beside(origins=[PAGE]) as beside, beside.client(tenant.id) as http:
        refused = await http.options(PATH, headers=PREFLIGHT | {"Origin": "https://other.example"})
        assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (400, False)
        assert_protected(refused)


async def test_without_configuration_no_page_may(http: httpx.AsyncClient) -> None:
    refused = await http.options(PATH, headers=PREFLIGHT)
    assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (405, False)
