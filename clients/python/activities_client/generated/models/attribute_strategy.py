from enum import StrEnum


class AttributeStrategy(StrEnum):
    CALLER_PROVIDED = "CALLER_PROVIDED"
    ON_DISPATCH = "ON_DISPATCH"
    UPFRONT = "UPFRONT"

    def __str__(self) -> str:
        return str(self.value)
