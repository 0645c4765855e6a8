"""What `$DATA_DIR/demo.json` says to scripts and people while the stack is ready, and the curl to begin with."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

from api.http.auth import Permission
from embedded.demo_data import COMMERCE_ID, OTHER_TENANT_ID, TENANT_ID
from embedded.signing_key import SigningKey, write_private_file
from embedded.stack_settings import StackSettings
from embedded.temporal_server import TemporalServer

_LIFETIME = timedelta(days=1)


def demo_facts(settings: StackSettings, key: SigningKey, temporal: TemporalServer) -> dict[str, str]:
    """Gather addresses, ids and fresh tokens."""
    everything = list(Permission)
    return {
        "baseUrl": settings.api_url,
        "temporalUiUrl": temporal.ui_url or "",
        "temporalAddress": temporal.address,
        "tenantId": str(TENANT_ID),
        "otherTenantId": str(OTHER_TENANT_ID),
        "commerceId": str(COMMERCE_ID),
        "token": key.token("demo", {TENANT_ID: everything}, _LIFETIME),
        "viewerToken": key.token("demo-viewer", {TENANT_ID: [Permission.VIEW_ACTIVITIES]}, _LIFETIME),
        "otherTenantToken": key.token("demo-other-tenant", {OTHER_TENANT_ID: everything}, _LIFETIME),
    }


@contextmanager
def published(path: Path, facts: Mapping[str, str]) -> Iterator[None]:
    """Let the file be there, whole, exactly as long as the block lasts."""
    write_private_file(path, json.dumps(dict(facts), indent=2).encode() + b"\n")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def contract_example(facts: Mapping[str, str], scheduled_at: str = "2025-01-16T09:00:00.000Z") -> dict[str, Any]:
    """Repeat the body of the contract's example, with a key that nobody has used."""
    return {
        "type": "MESSAGE",
        "reason": "Monthly promotion",
        "channel": "WHATSAPP",
        "commerce_id": facts["commerceId"],
        "idempotency_key": f"msg-{datetime.now(UTC):%Y-%m-%d}-{token_hex(4)}",
        "scheduled_at": scheduled_at,
        "attribute_keys": ["commerce_info"],
    }


def curl_command(facts: Mapping[str, str]) -> str:
    """Write the contract's curl with this stack's address, token and tenant."""
    headers = {
        "Authorization": f"Bearer {facts['token']}",
        "x-tenant-id": facts["tenantId"],
        "Content-Type": "application/json",
    }
    lines = [f"curl -X POST {facts['baseUrl']}/api/activities"]
    lines += [f"-H {json.dumps(f'{name}: {value}')}" for name, value in headers.items()]
    members = ",\n".join(f'"{name}": {json.dumps(value)}' for name, value in contract_example(facts).items())
    return " \\\n".join([*lines, f"-d '{{\n{members}\n}}'"])
