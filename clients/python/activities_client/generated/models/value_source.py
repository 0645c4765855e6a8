from enum import StrEnum


class ValueSource(StrEnum):
    FALLBACK = "FALLBACK"
    INTERNAL_SERVICE = "INTERNAL_SERVICE"
    REQUEST = "REQUEST"

    def __str__(self) -> str:
        return str(self.value)
