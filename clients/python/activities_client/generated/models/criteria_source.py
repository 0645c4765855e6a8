from enum import StrEnum


class CriteriaSource(StrEnum):
    CONFIGURATION = "CONFIGURATION"
    NONE = "NONE"
    REQUEST = "REQUEST"

    def __str__(self) -> str:
        return str(self.value)
