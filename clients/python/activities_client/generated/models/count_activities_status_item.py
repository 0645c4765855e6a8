from enum import StrEnum


class CountActivitiesStatusItem(StrEnum):
    CANCELED = "CANCELED"
    COMPLETED = "COMPLETED"
    DISPATCHED = "DISPATCHED"
    DUE = "DUE"
    FAILED = "FAILED"
    READY = "READY"
    UNRESOLVED = "UNRESOLVED"

    def __str__(self) -> str:
        return str(self.value)
