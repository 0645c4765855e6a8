from enum import StrEnum


class Verdict(StrEnum):
    ANOTHER_CAME_FIRST = "ANOTHER_CAME_FIRST"
    CONTACTED_TOO_LONG_AGO = "CONTACTED_TOO_LONG_AGO"
    INACTIVE = "INACTIVE"
    NEVER_CONTACTED = "NEVER_CONTACTED"
    OTHER_ROLE = "OTHER_ROLE"
    TAKEN = "TAKEN"
    UNREACHABLE = "UNREACHABLE"

    def __str__(self) -> str:
        return str(self.value)
