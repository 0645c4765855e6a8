"""The limits that keep the load of one tenant from delaying others, each with the reason for its number.

What one field of a request may have is in its model. A tenant's own quotas are rows.
"""

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
