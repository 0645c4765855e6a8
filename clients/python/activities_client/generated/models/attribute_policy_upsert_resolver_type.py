from enum import StrEnum


class AttributePolicyUpsertResolverType(StrEnum):
    CALLER_PROVIDED = "CALLER_PROVIDED"
    INTERNAL_SERVICE = "INTERNAL_SERVICE"

    def __str__(self) -> str:
        return str(self.value)
