from enum import StrEnum


class TargetStatus(StrEnum):
    FAILED = "FAILED"
    LOCKED = "LOCKED"
    PENDING = "PENDING"
    RESOLVED = "RESOLVED"

    def __str__(self) -> str:
        return str(self.value)
