"""The ids of the demonstration data. Commands that only name them start without a database's packages."""

from uuid import UUID

TENANT_ID = UUID("770e8400-e29b-41d4-a716-446655440000")
OTHER_TENANT_ID = UUID("771e8400-e29b-41d4-a716-446655440000")
COMMERCE_ID = UUID("880e8400-e29b-41d4-a716-446655440000")
OTHER_COMMERCE_ID = UUID("881e8400-e29b-41d4-a716-446655440000")
