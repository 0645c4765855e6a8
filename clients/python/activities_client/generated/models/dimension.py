from enum import StrEnum


class Dimension(StrEnum):
    CHANNEL = "channel"
    HOUR = "hour"
    STATUS = "status"

    def __str__(self) -> str:
        return str(self.value)
