"""Check the mapping of idempotency keys to workflow IDs, which makes duplicates impossible."""

import hashlib
from uuid import UUID

from hypothesis import example, given
from hypothesis import strategies as st

from runs.client import workflow_id

TENANT = UUID("770e8400-e29b-41d4-a716-446655440000")
PLAIN = st.text("ABCxyz019._~:-", min_size=1, max_size=200)
FOREIGN = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200)
DISGUISED = FOREIGN.map(lambda key: f"sha256:{hashlib.sha256(key.encode()).hexdigest()}")
KEYS = PLAIN | FOREIGN | DISGUISED | PLAIN.map(lambda key: f"sha256:{key}"[:200])


@given(st.uuids(), st.uuids(), KEYS, KEYS)
@example(TENANT, TENANT, "é", "e\u0301")
@example(TENANT, TENANT, "a b", f"sha256:{hashlib.sha256(b'a b').hexdigest()}")
@example(TENANT, TENANT, "Key", "key")
def test_two_keys_or_two_tenants_never_share_a_workflow_id(one: UUID, other: UUID, key: str, another: str) -> None:
    same = (one, key) == (other, another)
    assert (workflow_id(one, key) == workflow_id(other, another)) is same


@given(st.uuids(), KEYS)
@example(TENANT, "😀" * 200)
def test_a_workflow_id_is_ascii_and_short_enough_for_a_cluster_on_postgresql(tenant: UUID, key: str) -> None:
    found = workflow_id(tenant, key)
    assert found.isascii()
    assert len(found) <= 255


@given(st.uuids(), PLAIN.filter(lambda key: not key.startswith("sha256:")))
def test_a_plain_key_can_be_read_in_the_web_ui(tenant: UUID, key: str) -> None:
    assert workflow_id(tenant, key) == f"{tenant}:{key}"


@given(st.uuids(), KEYS)
def test_the_tenant_leads_in_canonical_lower_case(tenant: UUID, key: str) -> None:
    assert workflow_id(UUID(str(tenant).upper()), key).startswith(f"{str(tenant).lower()}:")
