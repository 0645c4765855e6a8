from enum import StrEnum


class MatchedBy(StrEnum):
    ALIAS = "ALIAS"
    CODE = "CODE"
    LABEL = "LABEL"
    PASSED_THROUGH = "PASSED_THROUGH"

    def __str__(self) -> str:
        return str(self.value)
