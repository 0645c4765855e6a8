from enum import StrEnum


class DeploymentPermission(StrEnum):
    DECODE_PAYLOADS = "DECODE_PAYLOADS"

    def __str__(self) -> str:
        return str(self.value)
