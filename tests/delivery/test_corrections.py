"""Nobody is mailed twice for nothing: same figures, corrected figures, a restored backup, and a fresh checkout."""

import pytest

from abaco.core.errors import InputError
from abaco.database import connection, queries
from abaco.delivery import commands
from abaco.operations import backup, restore
from abaco.review import status as review_status
from tests.support.azurite import connection_string

from .test_commands import CRITICAL, DECEMBER, leave, loaded, titles, told

EMAIL = ("email",)
pytestmark = pytest.mark.usefixtures("nothing_set")


def subjects(places):
    return [(recipient.partition("@")[0], message["Subject"]) for _, recipient, message in places.mail.taken]


def test_figures_decide_whether_a_report_is_sent_again(database, tmp_path, set_up):
    commands.record_and_deliver(tmp_path, leave(tmp_path, wanted=EMAIL), loaded())
    set_up.mail.taken.clear()
    same = leave(tmp_path, "r2", "2026-01-01T03:00:00Z", EMAIL)
    assert commands.record_and_deliver(tmp_path, same, loaded()) == []
    assert subjects(set_up) == [] and told(same) == [("database", "done", None)]
    asked_for = leave(tmp_path, "r2", "2026-01-01T04:00:00Z", EMAIL)
    commands.record_and_deliver(tmp_path, asked_for, loaded(), repeat=True)
    assert subjects(set_up) == [("ana", "Loan book"), ("luis", "Loan book")]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Corrected: ", "replaces that of 20", "other details")),
        ("es", ("Corregido: ", "sustituye al del 20", "otros")),
    ],
)
def test_corrected_report_says_what_it_replaces_and_what_changed(tmp_path, set_up, language, words):
    commands.record_and_deliver(tmp_path, leave(tmp_path, wanted=EMAIL), loaded())
    set_up.mail.taken.clear()
    later = leave(tmp_path, "r2", "2026-01-01T03:00:00Z", EMAIL, value=9.5)
    (later / "email.eml").write_bytes(f"Subject: Loan book\r\nContent-Language: {language}\r\n\r\nX\r\n".encode())
    commands.record_and_deliver(tmp_path, later, loaded())
    (_, subject), _ = subjects(set_up)
    assert subject.startswith(f"{words[0]}Loan book ({words[1]}") and subject.endswith(": PAR30 9.00 % → 9.50 %)")
    set_up.mail.taken.clear()
    details = leave(tmp_path, "r3", "2026-01-01T04:00:00Z", EMAIL, value=9.5, status="warning")
    (details / "email.eml").write_bytes(f"Subject: Loan book\r\nContent-Language: {language}\r\n\r\nX\r\n".encode())
    commands.record_and_deliver(tmp_path, details, loaded())
    assert words[2] in subjects(set_up)[0][1]


@pytest.fixture
def backed_up(tmp_path, set_up, monkeypatch):
    """A folder of reports after a backup with the emails of two runs pending, which have arrived since; and both."""
    given = loaded()
    monkeypatch.setattr("abaco.core.settings.load", lambda *_, **__: given)  # backup and restore take no options
    output, archive = tmp_path / "reports", tmp_path / "kept.tar.gz"
    set_up.mail.answers = ["554 no"] * 2
    commands.record_and_deliver(output, leave(output, wanted=EMAIL), given)
    leave(output, "r2", "2026-01-02T02:00:00Z", EMAIL, value=9.5)  # not recorded yet
    backup.write(output, archive)
    list(commands.deliver_pending(output, given))
    assert len(subjects(set_up)) == 2
    set_up.mail.taken.clear()
    return output, str(archive)


def test_what_the_replaced_database_knows_to_be_delivered_is_not_sent_again(backed_up, set_up):
    output, archive = backed_up
    said = restore.restore(archive, output)
    assert len(said) == 1 and "Not delivered" not in "\n".join(review_status.overview(output))
    assert list(commands.deliver_pending(output, loaded(), dead=True)) == []
    # a rerun of the same figures is none either
    commands.record_and_deliver(output, leave(output, "r3", "2026-01-03T02:00:00Z", EMAIL, value=9.5), loaded())
    assert subjects(set_up) == []


def test_pending_deliveries_of_a_restored_backup_are_held_until_their_dates_are_named(backed_up, set_up, tmp_path):
    output, (_, archive) = tmp_path / "new", backed_up
    _, heading, *held = restore.restore(archive, output)
    assert "may have been delivered since. Ask who should have them: abaco deliver --held DATE, or all" in heading
    (line,) = held  # r1 is replaced by r2
    assert line.startswith(f"  {DECEMBER}  r2  email (2)  queued 20")
    for _ in range(2):
        assert list(commands.deliver_pending(output, loaded(), dead=True)) == []
    assert subjects(set_up) == []
    listed = " ".join("\n".join(review_status.overview(output)).split())
    assert "email (2) r2 held, queued at 20" in listed
    assert f"may have been delivered since; abaco deliver --held {DECEMBER} sends it, --drop RUN does not" in listed
    with pytest.raises(
        InputError, match=f"Nothing is held of 2025-11-30, but of {DECEMBER}: name one of these, or all"
    ):
        list(commands.deliver_pending(output, loaded(), held=["2025-11-30"]))
    released = list(commands.deliver_pending(output, loaded(), held=[DECEMBER]))
    assert {(row["run_id"], row["status"]) for row in released} == {("r2", "done")}
    assert len(subjects(set_up)) == 2


def test_what_run_json_in_azure_says_to_have_arrived_after_the_backup_is_not_sent_again(
    tmp_path, set_up, blob_service, monkeypatch
):
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection_string(blob_service.port))
    given = loaded(azure_container="held")
    monkeypatch.setattr("abaco.core.settings.load", lambda *_, **__: given)
    output, archive = tmp_path / "reports", tmp_path / "kept.tar.gz"
    set_up.mail.answers = ["554 no"] * 3  # to ana, to luis, and to ana again
    commands.record_and_deliver(output, leave(output, wanted=("azure", "email")), given)
    backup.write(output, archive)
    list(commands.deliver_pending(output, given))
    assert [recipient for recipient, _ in subjects(set_up)] == ["luis"]
    said = restore.restore(str(archive), tmp_path / "new")[1:]
    assert said[0] == "By run.json in Azure, these arrived after the backup:" and "  email  queued" in said[1]
    assert "may have been delivered since" in said[2] and "  email  queued" in said[3] and len(said) == 4
    monkeypatch.setattr("abaco.delivery.azure.PAUSE_SECONDS", 0.02)
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection_string(1))
    said = restore.restore(str(archive), tmp_path / "other")[1:]
    assert said[0].startswith("Azure could not be asked what arrived since: ") and "  email (2)  queued" in said[2]


def test_fresh_checkout_goes_on_from_the_state_in_azure(tmp_path, set_up, blob_service, monkeypatch):
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection_string(blob_service.port))
    given = loaded(azure_container="checkouts", azure_state=True)
    for night in range(3):
        checkout = tmp_path / str(night)
        folder = leave(checkout, "r1", f"2026-01-0{night + 1}T02:00:00Z", ("azure", "email", "alerts"))
        assert commands.record_and_deliver(checkout, folder, given) == []
        assert titles(set_up) == [CRITICAL]
        assert len(set_up.mail.taken) == 2
    with connection.reading(connection.connect(tmp_path / "2")) as opened:
        assert len(queries.open_alerts(opened)) == 1
    # where the state cannot be fetched nothing is told anew, but that
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection_string(1))
    monkeypatch.setattr("abaco.delivery.azure.PAUSE_SECONDS", 0.02)
    (undelivered,) = commands.record_and_deliver(tmp_path / "x", leave(tmp_path / "x"), given)
    assert "The state of the former installation cannot be fetched" in undelivered["error"]
    assert titles(set_up)[1:] == [f"[P1] Nothing of the run of {DECEMBER} is delivered"]
