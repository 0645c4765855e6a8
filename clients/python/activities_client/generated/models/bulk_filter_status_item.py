from enum import StrEnum


class BulkFilterStatusItem(StrEnum):
    DUE = "DUE"
    READY = "READY"
    UNRESOLVED = "UNRESOLVED"

    def __str__(self) -> str:
        return str(self.value)
