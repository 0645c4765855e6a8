"""The examples of the OpenAPI document are answers of the running service, with the headers that it declares."""

from difflib import unified_diff

from api.examples import FILE
from api.http.headers import HEADERS
from tests.support.document import OPERATIONS, resolved
from tests.support.examples import format_examples, record
from tests.support.service import Service

BY_ID = {operation["operationId"]: operation for operation in OPERATIONS.values()}


async def test_the_examples_are_those_of_the_running_service(service: Service) -> None:
    """Refresh them with `python -m tests.support.examples`, then the document."""
    recorder = await record(service)
    recorded = format_examples(recorder.recorded).splitlines()
    assert list(unified_diff(FILE.read_text().splitlines(), recorded, lineterm="")) == []
    for (operation, status), sent in recorder.headers.items():
        declared = {name.lower() for name in resolved(BY_ID[operation]["responses"])[status]["headers"]}
        assert sent & {name.lower() for name in HEADERS} <= declared, (operation, status)
        if status in {"200", "201", "202"}:
            assert declared & {"location", "etag"} <= sent, (operation, status)
