from enum import StrEnum


class LockReason(StrEnum):
    CRITERIA_MATCH = "CRITERIA_MATCH"
    FALLBACK_COMMERCE_REP = "FALLBACK_COMMERCE_REP"
    FALLBACK_OWNER = "FALLBACK_OWNER"
    MANUAL_ASSIGNMENT = "MANUAL_ASSIGNMENT"

    def __str__(self) -> str:
        return str(self.value)
