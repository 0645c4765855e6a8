from enum import StrEnum


class AttributeStatus(StrEnum):
    FAILED = "FAILED"
    FALLBACK = "FALLBACK"
    PENDING = "PENDING"
    RESOLVED = "RESOLVED"

    def __str__(self) -> str:
        return str(self.value)
