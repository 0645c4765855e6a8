from enum import StrEnum


class BulkState(StrEnum):
    COLLECTING = "COLLECTING"
    COMPLETED = "COMPLETED"
    QUEUED = "QUEUED"
    REJECTED = "REJECTED"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    STOPPING = "STOPPING"

    def __str__(self) -> str:
        return str(self.value)
