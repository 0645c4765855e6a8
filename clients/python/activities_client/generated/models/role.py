from enum import StrEnum


class Role(StrEnum):
    ADMIN = "ADMIN"
    ATTENTION = "ATTENTION"
    COMMERCE_REP = "COMMERCE_REP"
    FINANCE = "FINANCE"
    ORDERS = "ORDERS"
    OTHER = "OTHER"
    OWNER = "OWNER"

    def __str__(self) -> str:
        return str(self.value)
