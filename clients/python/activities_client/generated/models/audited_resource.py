from enum import StrEnum


class AuditedResource(StrEnum):
    API_KEY = "API_KEY"
    ATTRIBUTE_KEY = "ATTRIBUTE_KEY"
    ATTRIBUTE_POLICY = "ATTRIBUTE_POLICY"
    BULK_SETTINGS = "BULK_SETTINGS"
    DISPATCH_SETTINGS = "DISPATCH_SETTINGS"
    PAUSE = "PAUSE"
    QUOTA = "QUOTA"
    REASON = "REASON"
    TARGET_CONFIG = "TARGET_CONFIG"
    TASK_RESULT_TYPE = "TASK_RESULT_TYPE"
    USER_STATUS = "USER_STATUS"

    def __str__(self) -> str:
        return str(self.value)
