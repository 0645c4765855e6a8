from enum import StrEnum


class ResolutionMoment(StrEnum):
    CREATION = "CREATION"
    RETRY = "RETRY"
    WAKE_UP = "WAKE_UP"

    def __str__(self) -> str:
        return str(self.value)
