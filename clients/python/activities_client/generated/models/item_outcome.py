from enum import StrEnum


class ItemOutcome(StrEnum):
    ACCEPTED = "ACCEPTED"
    APPLIED = "APPLIED"
    FAILED = "FAILED"
    PENDING = "PENDING"
    REFUSED = "REFUSED"

    def __str__(self) -> str:
        return str(self.value)
