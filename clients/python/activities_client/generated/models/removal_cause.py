from enum import StrEnum


class RemovalCause(StrEnum):
    ERASURE = "ERASURE"
    RETENTION = "RETENTION"

    def __str__(self) -> str:
        return str(self.value)
