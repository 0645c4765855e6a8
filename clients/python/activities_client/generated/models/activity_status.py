from enum import StrEnum


class ActivityStatus(StrEnum):
    CANCELED = "CANCELED"
    COMPLETED = "COMPLETED"
    DISPATCHED = "DISPATCHED"
    DUE = "DUE"
    FAILED = "FAILED"
    READY = "READY"
    REJECTED = "REJECTED"
    RESOLVING = "RESOLVING"
    UNRESOLVED = "UNRESOLVED"

    def __str__(self) -> str:
        return str(self.value)
