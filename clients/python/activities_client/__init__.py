"""The client of scheduled activities: `generated/` is made of the OpenAPI document, the other files are by hand."""

from activities_client.answers import ApiError, create_once, expect
from activities_client.connection import connect
from activities_client.lines import create_by_lines
from activities_client.pages import iterate_items
from activities_client.retries import Retries

__all__ = ["ApiError", "Retries", "connect", "create_by_lines", "create_once", "expect", "iterate_items"]
