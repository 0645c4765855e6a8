from enum import StrEnum


class ResultStatus(StrEnum):
    CANCELED = "CANCELED"
    COMPLETED = "COMPLETED"
    NOT_EXECUTED = "NOT_EXECUTED"
    PENDING = "PENDING"
    TRANSFERRED = "TRANSFERRED"

    def __str__(self) -> str:
        return str(self.value)
