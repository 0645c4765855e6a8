"""The limits that keep the load of one tenant from delaying others, each with the reason for its number.

What one field of a request may have is in its model. A tenant's own quotas are rows. What a tenant has stays and can be
changed, even if it is above a limit that was lowered.
"""

from dataclasses import dataclass
from typing import NamedTuple

BODY_VALUES = 20_000
"""The most values of a JSON body, or of an item of a batch or a synchronization. Parsing them takes 35 ms at most, in
which the process does nothing else. A synchronization's largest useful item, 100 users with 100 contacts, has 40,000:
`SYNC_ITEM_VALUES`."""
SYNC_ITEM_VALUES = 45_000
"""100 users with 100 contacts of 3 members each are 40,100 values; 100 addresses and metadata are the rest."""
CONTACT_LOG_VALUES = 50_100
"""10,000 entries of 4 members are 50,002 values."""
SYNC_FAULTS = 2_000
"""The most faults that the answer of a synchronization lists before it lists one for each item: composing 100,000 would
take half a second."""


@dataclass(frozen=True)
class Quota:
    """A number that is a tenant's own if a row has it, and else the default. None sets no limit."""

    name: str
    default: int | None
    description: str


REQUESTS = Quota("requests_per_second", 400, "Requests of one token's subject, or of one API key, in a second.")
"""The benchmarks send up to 300 a second by one credential, which keep two processors busy."""
ITEMS = Quota(
    "items_per_minute",
    120_000,
    "Items and lines of batches and synchronizations of one token's subject, or of one API key, in a minute.",
)
"""A synchronization of 100,000 commerces needs no pause."""
OPEN_ACTIVITIES = Quota(
    "open_activities", None, "READY and UNRESOLVED activities. They are counted each minute: the limit is approximate."
)
WAITING_CLAIMS = Quota("waiting_claims", 400, "Claims that wait for due activities, in each process of the API.")
"""Each holds a connection: one tenant's claims leave half of `CONNECTIONS` to others."""
RUNNING_OPERATIONS = Quota("running_operations", 2, "Bulk operations that run at the same time; the others are QUEUED.")
"""The second lets a short operation pass a long one. Each costs processor time that creations of all tenants lack."""
QUEUED_OPERATIONS = Quota("queued_operations", 100, "Bulk operations that wait until others have ended.")
"""More than a person or a script means to start at once; a caller's place in a longer queue says nothing any more."""
LARGEST_QUOTA = 10**12

LOOKUPS = 40
LOOKUPS_SECONDS = 2
"""A tenant's questions to Temporal's list, by ids of activities without a row, in so many seconds. Temporal allows
1,000 a second in a namespace: 25 tenants at this rate, each at two processes of the API, don't use it up. A caller asks
once a second, as `Retry-After` says, for each activity that is RESOLVING."""


class Limit(NamedTuple):
    """A limit in force by name, and what the caller can do where it is reached."""

    name: str
    most: int
    way_out: str


@dataclass(frozen=True)
class RowQuota:
    """A number of rows that a tenant may have: its own if a row has it, and else the default."""

    name: str
    default: int
    description: str
    way_out: str

    def limit(self, most: int | None = None) -> Limit:
        """Return the limit with a tenant's own number, or with the default."""
        return Limit(self.name, self.default if most is None else most, self.way_out)


ASK = "or ask the operator of this service for a higher limit"

USERS_OF_COMMERCE = RowQuota(
    "users_of_commerce", 1_000, "Users of a commerce.", f"Change a user who is no longer needed, {ASK}."
)
"""A creation reads each user and the ends of two indices: about 8 pages and 5 µs."""

CATALOGUE_ENTRIES = RowQuota(
    "catalogue_entries",
    1_000,
    "Entries of the catalogue of reasons, and of that of user statuses.",
    f"Change an entry that is no longer used, {ASK}.",
)
"""The names of all active entries are compared with a text that means nothing, in about 5 µs each."""

CATALOGUE_ALIASES = RowQuota(
    "catalogue_aliases",
    2_000,
    "Aliases of the entries of a catalogue together.",
    f"Remove aliases from other entries, {ASK}.",
)
"""With the codes and labels at most 4,000 names are compared."""

ATTRIBUTE_KEYS = RowQuota(
    "attribute_keys",
    1_000,
    "Attribute keys, and so attribute policies: a key has one at most.",
    f"Change a key that is no longer used, {ASK}.",
)
"""They are compared with an unknown key."""

TARGET_CONFIGS = RowQuota(
    "target_configs",
    200,
    "Configurations of the target resolution.",
    f"Change a configuration that is no longer used, {ASK}.",
)
"""A creation reads the active ones by priority up to the first that applies: all of them, if none does."""

API_KEYS = RowQuota("api_keys", 100, "API keys.", f"Revoke one that is no longer used, {ASK}.")
"""More than a person can keep in view. Expired keys count too, until they are revoked."""

QUOTAS: dict[str, Quota | RowQuota] = {
    quota.name: quota
    for quota in (
        *(REQUESTS, ITEMS, OPEN_ACTIVITIES, WAITING_CLAIMS, RUNNING_OPERATIONS, QUEUED_OPERATIONS),
        *(USERS_OF_COMMERCE, CATALOGUE_ENTRIES, CATALOGUE_ALIASES, ATTRIBUTE_KEYS, TARGET_CONFIGS, API_KEYS),
    )
}

CONTACTS_OF_USER = Limit("contacts_of_user", 100, "Remove another contact first.")
"""Every read of a user reads all contacts. It is also the most that a request may list."""

HEAD_BYTES = 32 * 1024
"""Bytes of a request's line and headers: four times what proxies let through by default."""
HEAD_SECONDS = 10
"""Seconds from a connection's or a head's first byte to the head's last: a slow network needs one."""
CONNECTIONS = 900
"""Connections of a process: beside those to PostgreSQL and Temporal they fit into the 1,024 files that a process may
open by default."""

METRICS_SECONDS = 1
"""Seconds between two compositions of the metrics, which take some milliseconds."""

FIGURES_SECONDS = 15
"""Seconds between two readings of the backlog for the metrics: a statement, and four questions to Temporal."""

PAGE_BYTES = 512 * 1024
"""Bytes of a page's items, as PostgreSQL writes them: two of the largest activities, and more than 100 usual ones."""
LISTED_ACTIVITIES = 20
"""Open activities that an ambiguous provider's id names."""
PROVIDER_RESULTS = 200
"""Results with one provider's id that are looked through: as many as two activities have. If there are more, a result
needs the activity's id."""
METADATA_BYTES = 512 * 1024
"""Bytes of a commerce's `metadata` as PostgreSQL writes it, after merging: what one body has always fits."""
METADATA_VALUES = SYNC_ITEM_VALUES
"""Values in it, after merging: what one item has fits. Reading as many takes some 50 ms."""
LISTED_USERS = 100
"""Users that a commerce shows: a page of its list of users, which has all of them."""
RESULTS_OF_ACTIVITY = Limit(
    "results_of_activity", 100, "From then on only its first final result is recorded, no PENDING one and no override."
)
"""Each result is judged by all before it."""
