from enum import StrEnum


class Channel(StrEnum):
    CALLCENTER = "CALLCENTER"
    EMAIL = "EMAIL"
    PUSH = "PUSH"
    SALESMAN = "SALESMAN"
    SMS = "SMS"
    WHATSAPP = "WHATSAPP"

    def __str__(self) -> str:
        return str(self.value)
