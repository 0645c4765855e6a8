"""Send the key of a creation as the header `Idempotency-Key`, as clients of other services are used to."""

import httpx
import pytest

from tests.support.builders import contract_example, from_now

PATH = "/api/activities"
POINTER = "/header/idempotency-key"


def keyless() -> dict[str, object]:
    """A body whose key is in the header alone."""
    return contract_example(scheduled_at=from_now(days=1), idempotency_key=None)


async def test_the_header_is_the_key_and_a_repetition_is_the_same_request(http: httpx.AsyncClient) -> None:
    body = keyless()
    created = await http.post(PATH, json=body, headers={"Idempotency-Key": "order-7"})
    assert (created.status_code, created.json()["idempotencyKey"]) == (201, "order-7"), created.text
    del body["idempotency_key"]
    for header, again in (('"order-7"', body), ("order-7", body | {"idempotency_key": "order-7"})):
        repeated = await http.post(PATH, json=again, headers={"Idempotency-Key": header})
        assert (repeated.status_code, repeated.json()["sameRequest"]) == (409, True)
        assert repeated.json()["activity"]["id"] == created.json()["id"]
    in_body = await http.post(PATH, json=body | {"idempotency_key": "order-7"})
    assert (in_body.status_code, in_body.json()["sameRequest"]) == (409, True)


async def test_a_header_that_is_another_key_than_the_bodys_is_rejected(http: httpx.AsyncClient) -> None:
    answer = await http.post(PATH, json=contract_example(), headers={"Idempotency-Key": "another"})
    assert (answer.status_code, [one["pointer"] for one in answer.json()["errors"]]) == (400, [POINTER])


async def test_without_the_header_the_body_needs_the_key(http: httpx.AsyncClient) -> None:
    answer = await http.post(PATH, json=keyless())
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/idempotency_key"]


async def test_a_header_that_is_sent_twice_is_rejected(http: httpx.AsyncClient) -> None:
    headers = [*http.headers.items(), ("Idempotency-Key", "a"), ("Idempotency-Key", "a")]
    answer = await http.post(PATH, json=keyless(), headers=headers)
    assert (answer.status_code, [one["pointer"].lower() for one in answer.json()["errors"]]) == (400, [POINTER])


@pytest.mark.parametrize("path", [f"{PATH}/batch", f"{PATH}/stream"])
async def test_a_batch_takes_no_key_for_all_of_its_activities(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.post(path, json={"activities": []}, headers={"Idempotency-Key": "order-7"})
    assert (answer.status_code, [one["pointer"] for one in answer.json()["errors"]]) == (400, [POINTER])
