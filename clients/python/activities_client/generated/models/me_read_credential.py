from enum import StrEnum


class MeReadCredential(StrEnum):
    API_KEY = "API key"
    TOKEN = "token"

    def __str__(self) -> str:
        return str(self.value)
