from enum import StrEnum


class Outcome(StrEnum):
    MATCHED = "MATCHED"
    NOBODY = "NOBODY"
    SWITCHED_OFF = "SWITCHED_OFF"

    def __str__(self) -> str:
        return str(self.value)
