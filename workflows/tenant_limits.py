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
REQUESTS_AT_ONCE = Quota(
    "requests_at_once",
    8,
    "Requests, and items of batches, that each process of the API carries out at the same time; the others wait.",
)
"""Other tenants wait behind each of them. Eight keep two processors busy with creations, and fit beside those of
another tenant into a pool of 20 connections."""
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
        *(REQUESTS, ITEMS, REQUESTS_AT_ONCE, OPEN_ACTIVITIES, WAITING_CLAIMS, RUNNING_OPERATIONS, QUEUED_OPERATIONS),
        *(USERS_OF_COMMERCE, CATALOGUE_ENTRIES, CATALOGUE_ALIASES, ATTRIBUTE_KEYS, TARGET_CONFIGS, API_KEYS),
    )
}

CONTACTS_OF_USER = Limit("contacts_of_user", 100, "Remove another contact first.")
"""Every read of a user reads all contacts. It is also the most that a request may list."""

HEAD_BYTES = 32 * 1024
"""Bytes of a request's line and headers: four times what proxies let through by default."""
HEAD_LINES = 200
"""Lines of a head: parsing 6,500 takes 20 ms. Callers and proxies send 30 at most."""
PARAMETERS = 100
"""Parameters of a query: parsing 16,000 takes 11 ms, and no path has more than twenty."""
HEAD_SECONDS = 10
"""Seconds from a connection's or a head's first byte to the head's last: a slow network needs one."""
CONNECTIONS = 900
"""Connections of a process: beside those to PostgreSQL and Temporal they fit into the 1,024 files that a process may
open by default."""

TURN_SECONDS = 1
"""Seconds after which a request that isn't answered yet lets the next one begin: while Temporal or the worker is away,
requests wait longer than that, and so do claims."""
LONGEST_QUEUE = 400
"""Requests of a tenant that wait for their turn: as many as claims that wait, all of which a mark wakes."""
QUEUE_SECONDS = 20
"""Seconds that a request waits for its turn: with its own deadline of 10 s, as long as a process that stops waits."""
LARGE_REQUESTS = 8
"""Batches, synchronizations and contact logs of a tenant that a process reads and carries out at the same time: with
their results they have some 100 MB of memory."""

WHOLE_READS = 1
"""Lists of a tenant's commerces and of its audit, and reads of a bulk operation, that a process carries out at the same
time: PostgreSQL counts all rows, 100,000 in 20 ms, and a search of a text reads the names of all, 100,000 in 0.1 s."""

EXPLAIN_REQUESTS = 10
"""Requests as which a dry run of a resolution counts: it may hold the event loop for 5 ms, ten times as long as
others."""
CRITERIA_A_REQUEST = 10
"""Criteria of a creation that count as another request."""

BODY_SECONDS = 20
BODY_RATE = 32 * 1024
"""Seconds in which a body must arrive, and one more for each so many bytes of it: 8 MB may take 276 s. A line of a
stream has the same time as a body; the caller of a stream may not pause for longer."""
SMALL_CHUNKS, CHUNK_BYTES = 1_000, 128
"""Chunks of a body that may have any size; from then on they must have so many bytes on average. 256 KB, which are read
at once, are 20 ms of parsing then, and without this limit 600 ms. A line of a stream in a chunk of its own has more."""
ANSWER_SECONDS = 20
"""Seconds in which a caller must take the next 48 KB of an answer."""
LINGER_SECONDS = 10
"""Seconds for which a connection stays open whose caller sends the rest of a body that was answered already, or doesn't
take the rest of the last answer."""

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
BATCH_ANSWER_BYTES = 8 * 1024 * 1024
"""Bytes of a batch's results from which on no item is begun: a repetition is answered with what is stored."""
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
