from enum import StrEnum


class ResolverType(StrEnum):
    CALLER_PROVIDED = "CALLER_PROVIDED"
    CLIENT_HOOK = "CLIENT_HOOK"
    INTERNAL_SERVICE = "INTERNAL_SERVICE"

    def __str__(self) -> str:
        return str(self.value)
