from enum import StrEnum


class BulkVerb(StrEnum):
    CANCEL = "cancel"
    ERASE = "erase"
    RESCHEDULE = "reschedule"
    RETRY_RESOLUTION = "retry-resolution"

    def __str__(self) -> str:
        return str(self.value)
