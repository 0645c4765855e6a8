from enum import StrEnum


class ActivityType(StrEnum):
    MESSAGE = "MESSAGE"
    TASK = "TASK"

    def __str__(self) -> str:
        return str(self.value)
