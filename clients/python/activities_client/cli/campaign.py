"""Import of a campaign: a CSV or NDJSON file, line by line, with a file of the refused lines."""

import csv
import json
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any, Self

from activities_client.answers import ApiError
from activities_client.cli.command_error import CommandError
from activities_client.generated.client import AuthenticatedClient
from activities_client.generated.models import BatchResult, IdempotencyKeyExistsRead
from activities_client.lines import create_by_lines

REFUSAL = "refusal"
"""The column, or the member, that the file of refused lines adds. An import ignores it."""
COLUMNS = (
    "type",
    "reason",
    "channel",
    "commerce_id",
    "idempotency_key",
    "scheduled_at",
    "attribute_keys",
    "attributes",
    "score",
    "user_status",
    "assignment_reason",
    "suggested_execution_time",
    "target_criteria",
)
_REQUIRED = frozenset(COLUMNS[:6])
_JSON = frozenset({"attributes", "target_criteria", "score"})
_CREATED = frozenset({HTTPStatus.CREATED, HTTPStatus.ACCEPTED})


@dataclass(frozen=True)
class Row:
    """A line of the file: as it was read, and as it is sent."""

    number: int
    read: dict[str, Any]
    activity: dict[str, Any]


@dataclass
class Import:
    """An import of one file. `report` is called with the position in the file after each result."""

    path: Path
    refused: "RefusedFile"
    report: Callable[[int, Counter[str]], None]
    counts: Counter[str] = field(default_factory=Counter)

    def run(self, client: AuthenticatedClient) -> None:
        """Create an activity of each line. A repeated import finds those that exist by their keys.

        Raises:
            CommandError: it is no CSV or NDJSON file, a column is unknown, missing or there twice, or the file of
                refused lines can't be written or is the campaign itself.
            ApiError: the API refuses every line, as without permission.
            httpx.TransportError: the connection was cut off, and stayed so.

        """
        if self.refused.path.exists() and self.refused.path.samefile(self.path):
            message = "The file of refused lines would replace the campaign: name another by --refused."
            raise CommandError(message)
        sent: deque[tuple[Row, int]] = deque()
        with _CountedFile(self.path) as source, self.refused:
            for result in create_by_lines(client, self._read(source, sent)):
                row, position = sent.popleft()
                self._note(row, result)
                self.report(position, self.counts)
            self.report(source.position, self.counts)

    def _read(self, source: "_CountedFile", sent: deque[tuple[Row, int]]) -> Iterator[dict[str, Any]]:
        """Yield the activities of the file; append their rows, with the positions after them, to `sent`."""
        match self.path.suffix.lower():
            case ".csv":
                self.refused.columns, rows = _read_csv(source, self._refuse)
            case ".ndjson" | ".jsonl":
                rows = _read_objects(source, self._refuse)
            case _:
                message = f"{self.path} isn't a campaign: its name must end with .csv, .ndjson or .jsonl."
                raise CommandError(message)
        for row in rows:
            sent.append((row, source.position))
            yield row.activity

    def _note(self, row: Row, result: BatchResult) -> None:
        body = result.body
        if result.status in _CREATED:
            self.counts["created"] += 1
        elif isinstance(body, IdempotencyKeyExistsRead) and body.same_request:
            self.counts["existing"] += 1
        else:
            problem = ApiError(HTTPStatus(result.status), body)
            why = "; ".join(problem.faults) or str(problem)
            self._refuse(row.number, row.read, f"{result.status} {problem.code or ''}: {why}")

    def _refuse(self, number: int, line: dict[str, Any], why: str) -> None:
        self.counts["refused"] += 1
        self.refused.write(line, f"line {number}: {why}")


class _CountedFile:
    """A text file that counts the bytes that were read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.position = 0

    def __enter__(self) -> Self:
        self._file = self._path.open("rb")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[str]:
        for line in self._file:
            is_first = self.position == 0
            self.position += len(line)
            try:
                yield line.decode("utf-8-sig" if is_first else "utf-8")
            except UnicodeDecodeError as failure:
                message = f"{self._path} isn't UTF-8: {failure}"
                raise CommandError(message) from failure


Refuse = Callable[[int, dict[str, Any], str], None]


def _read_csv(source: _CountedFile, refuse: Refuse) -> tuple[list[str], Iterator[Row]]:
    """Return the columns, which are fields of a creation, and the rows that can be sent."""
    rows = csv.DictReader(source)
    try:
        columns = [name for name in rows.fieldnames or () if name != REFUSAL]
    except csv.Error as failure:
        message = f"The first line isn't CSV: {failure}"
        raise CommandError(message) from failure
    unknown = [name for name in columns if name not in COLUMNS]
    missing = sorted(_REQUIRED - set(columns))
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if unknown or missing or repeated:
        wrong = {"Unknown": unknown, "Missing": missing, "Repeated": repeated}
        message = " ".join(f"{fault} columns: {names}." for fault, names in wrong.items() if names)
        raise CommandError(f"{message} The columns may be {', '.join(COLUMNS)}.")
    return columns, _parse_rows(rows, columns, refuse)


def _parse_rows(rows: "csv.DictReader[str]", columns: list[str], refuse: Refuse) -> Iterator[Row]:
    """Yield the rows that can be sent; an empty cell is an absent field."""
    for read in _iterate_lines(rows, refuse):
        try:
            activity = {name: _parse_cell(name, read[name]) for name in columns if read.get(name)}
        except (ValueError, RecursionError) as failure:
            refuse(rows.line_num, read, f"a cell is not JSON: {failure}")
        else:
            yield Row(rows.line_num, read, activity)


def _iterate_lines(rows: "csv.DictReader[str]", refuse: Refuse) -> Iterator[dict[Any, Any]]:
    """Yield the lines that have no more cells than there are columns."""
    while True:
        try:
            read: dict[Any, Any] = next(rows)
        except StopIteration:
            return
        except csv.Error as failure:
            refuse(rows.reader.line_num, {}, f"the line isn't CSV: {failure}")
            continue
        if None in read:  # after a comma in a text without quotes, for example: the cells behind it have moved
            refuse(rows.line_num, read, f"there are more cells than columns: {read[None]}")
        else:
            yield read


def _parse_cell(name: str, text: str) -> Any:
    """Return a cell's value: keys are separated by semicolons, lists and numbers are JSON."""
    if name == "attribute_keys":
        return [key.strip() for key in text.split(";")]
    return json.loads(text) if name in _JSON else text


def _read_objects(source: _CountedFile, refuse: Refuse) -> Iterator[Row]:
    """Yield the objects of NDJSON that can be sent; blank lines are skipped."""
    for number, line in enumerate(source, start=1):
        if not line.strip():
            continue
        try:
            read = json.loads(line)
            activity = {name: value for name, value in read.items() if name != REFUSAL}
        except (ValueError, AttributeError, RecursionError):
            refuse(number, {"line": line.rstrip("\n")}, "this is not a JSON object")
        else:
            yield Row(number, read, activity)


class RefusedFile:
    """The file of refused lines, in the format of the imported file; it exists only if a line was refused."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: list[str] | None = None
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        try:
            self.path.touch()  # it shows at once if it can't be written
            if self.path.is_file():  # and no device, as /dev/null is
                self.path.unlink()
        except OSError as failure:
            message = f"The file of refused lines can't be written: {failure}"
            raise CommandError(message) from failure
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, line: dict[str, Any], refusal: str) -> None:
        """Add a line with the reason of its refusal."""
        row = line | {REFUSAL: refusal}
        file = self._file or self._open()
        if self.columns is None:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        else:
            self._writer(file, self.columns).writerow(row)
        file.flush()

    def _open(self) -> IO[str]:
        self._file = self.path.open("w", newline="", encoding="utf-8", errors="backslashreplace")
        if self.columns is not None:
            self._writer(self._file, self.columns).writeheader()
        return self._file

    def _writer(self, file: IO[str], columns: list[str]) -> "csv.DictWriter[str]":
        return csv.DictWriter(file, [*columns, REFUSAL], extrasaction="ignore")
