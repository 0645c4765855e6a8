from enum import StrEnum


class ListActivitiesSort(StrEnum):
    CREATED_AT = "created_at"
    SCHEDULED_AT = "scheduled_at"
    SCORE = "score"
    UPDATED_AT = "updated_at"

    def __str__(self) -> str:
        return str(self.value)
