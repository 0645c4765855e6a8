from enum import StrEnum


class LastContactedType(StrEnum):
    LAST_CONTACTED_ALL_CHANNELS = "LAST_CONTACTED_ALL_CHANNELS"
    LAST_CONTACTED_SAME_CHANNEL = "LAST_CONTACTED_SAME_CHANNEL"

    def __str__(self) -> str:
        return str(self.value)
