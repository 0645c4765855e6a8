from enum import StrEnum


class TargetStrategy(StrEnum):
    MANUAL = "MANUAL"
    ON_CREATION = "ON_CREATION"
    ON_DISPATCH = "ON_DISPATCH"

    def __str__(self) -> str:
        return str(self.value)
