from enum import StrEnum


class ContactType(StrEnum):
    EMAIL = "EMAIL"
    OTHER = "OTHER"
    PHONE = "PHONE"
    WHATSAPP = "WHATSAPP"

    def __str__(self) -> str:
        return str(self.value)
