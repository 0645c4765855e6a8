"""Test what the command line reads and refuses without the API: campaigns, times, credentials."""

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from activities_client import connect
from activities_client.cli.campaign import COLUMNS, Import, RefusedFile
from activities_client.cli.command_error import CommandError
from activities_client.cli.credentials import default_commerce, open_client
from activities_client.cli.times import parse_time

HEADER = ",".join(COLUMNS[:6])


def read(path: Path, refused: Path) -> tuple[Counter[str], list[str]]:
    """Import a file of which no line can be sent; return the counts, and the refusals of a CSV file."""
    campaign = Import(path, RefusedFile(refused), lambda _position, _counts: None)
    with connect("http://127.0.0.1:9", api_key="key") as client:
        campaign.run(client)
    if path.suffix.lower() != ".csv" or not refused.is_file():
        return campaign.counts, []
    with refused.open(newline="", encoding="utf-8") as file:
        return campaign.counts, [line["refusal"] for line in csv.DictReader(file)]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("campaign.csv", "", "Missing columns: ['channel', "),
        ("campaign.csv", f"{HEADER},kind\n", "Unknown columns: ['kind']"),
        ("campaign.csv", f"{HEADER},reason\n", "Repeated columns: ['reason']"),
        ("campaign.csv", f"{HEADER}\rMESSAGE\r", "The first line isn't CSV: "),
        ("campaign.txt", f"{HEADER}\n", "must end with .csv, .ndjson or .jsonl"),
    ],
    ids=["empty", "unknown", "repeated", "carriage-returns", "suffix"],
)
def test_a_file_that_is_no_campaign_is_refused_in_one_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    path = tmp_path / name
    path.write_text(text, newline="")
    with pytest.raises(CommandError) as refused:
        read(path, tmp_path / "refused.csv")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_line_of_csv_that_can_not_be_read_is_refused_alone(tmp_path: Path) -> None:
    """A comma in a text without quotes moves the cells behind it."""
    path = tmp_path / "CAMPAIGN.CSV"
    moved, broken, large = (
        "MESSAGE,Monthly, promotion,SMS,a,b,c",
        "MESSAGE,a\rb,SMS,a,b,c",
        f"MESSAGE,{'x' * 200_000}",
    )
    path.write_text(f"{HEADER}\n{moved}\n{broken}\n{large}\n", newline="")
    counts, refusals = read(path, tmp_path / "refused.csv")
    assert counts == {"refused": 3}
    assert [refusal.rsplit(":", 1)[0] for refusal in refusals] == [
        "line 2: there are more cells than columns",
        "line 3: the line isn't CSV",
        "line 4: the line isn't CSV",
    ]


def test_json_that_is_too_deep_is_refused_and_a_device_takes_the_refused_lines(tmp_path: Path) -> None:
    path, device = tmp_path / "campaign.jsonl", Path("/dev/null")
    path.write_text('{"reason": ' + "[" * 100_000 + "\n")
    assert read(path, device)[0] == {"refused": 1}
    assert device.is_char_device()


def test_a_file_of_refused_lines_that_can_not_be_written_is_noticed_before_a_line_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "campaign.csv"
    path.write_text(f"{HEADER}\nMESSAGE,Monthly promotion,SMS,a,b,c\n")
    with pytest.raises(CommandError, match=r"can't be written: .*No such file"):
        read(path, tmp_path / "absent" / "refused.csv")


def test_a_campaign_is_not_replaced_by_its_refused_lines(tmp_path: Path) -> None:
    path, link = tmp_path / "campaign.csv", tmp_path / "link.csv"
    path.write_text(HEADER)
    link.hardlink_to(path)
    with pytest.raises(CommandError, match="would replace the campaign"):
        read(path, link)
    assert path.read_text() == HEADER


@pytest.mark.parametrize("text", ["tomorrow", "+5w", "+99999999999d", "+9999999d", ""])
def test_a_time_that_is_none_or_beyond_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_time(text)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"TOKEN": "…"}, "TOKEN has a character outside ASCII"),
        ({"TOKEN": ""}, "TOKEN isn't set, and demo.json isn't read"),
        ({"API_KEY": "ключ"}, "API_KEY has a character outside ASCII"),
        ({"COMMERCE_ID": "abc"}, "by its UUID"),
        ({"COMMERCE_ID": ""}, "by its UUID"),
    ],
    ids=["token", "no-token", "key", "commerce", "no-commerce"],
)
def test_a_credential_or_a_commerce_that_can_not_be_sent_is_named(
    wrong: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    valid: dict[str, Any] = {"API_URL": "http://127.0.0.1:9", "TOKEN": "token", "TENANT_ID": "id", "API_KEY": ""}
    for name, value in {**valid, **wrong}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CommandError, match=said):
        default_commerce() if "COMMERCE_ID" in wrong else open_client()
