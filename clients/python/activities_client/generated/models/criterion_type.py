from enum import StrEnum


class CriterionType(StrEnum):
    LAST_CONTACTED_ALL_CHANNELS = "LAST_CONTACTED_ALL_CHANNELS"
    LAST_CONTACTED_SAME_CHANNEL = "LAST_CONTACTED_SAME_CHANNEL"
    ROLE_MATCH = "ROLE_MATCH"

    def __str__(self) -> str:
        return str(self.value)
