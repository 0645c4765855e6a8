"""JSON values of messages, which are taken as they are."""

from typing import Annotated, Any

import pydantic
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class _AsItIs:
    """Neither checks a value nor converts it: it comes from a JSON parser and goes to one.

    For `pydantic.JsonValue` Python is called for each value inside: 20,000 of them took 20 ms at each step.
    """

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.any_schema()


JsonValue = Annotated[pydantic.JsonValue, _AsItIs()]
