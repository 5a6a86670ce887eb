"""Nobody is mailed twice for nothing: same figures, corrected figures, a restored backup, and a fresh checkout."""

import pytest

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


def test_pending_deliveries_of_a_restored_backup_are_held_until_somebody_releases_them(tmp_path, set_up, monkeypatch):
    given = loaded()
    monkeypatch.setattr("abaco.core.settings.load", lambda *_, **__: given)  # backup and restore take no options
    output = tmp_path / "reports"
    set_up.mail.answers = ["554 no"] * 2
    commands.record_and_deliver(output, leave(output, wanted=EMAIL), loaded())
    leave(output, "r2", "2026-01-02T02:00:00Z", EMAIL, value=9.5)  # not recorded yet
    backup.write(output, tmp_path / "kept.tar.gz")
    list(commands.deliver_pending(output, loaded()))
    set_up.mail.taken.clear()
    said = restore.restore(str(tmp_path / "kept.tar.gz"), output)
    assert "deliveries are held: abaco deliver --held" in said
    for _ in range(2):
        assert list(commands.deliver_pending(output, loaded(), dead=True)) == []
    assert subjects(set_up) == []
    listed = " ".join("\n".join(review_status.overview(output)).split())
    assert "held: it was pending in the backup that was restored; abaco deliver --held sends it" in listed
    released = list(commands.deliver_pending(output, loaded(), held=True))
    assert {(row["run_id"], row["status"]) for row in released} == {("r2", "done")}  # r1 is replaced by it
    assert len(subjects(set_up)) == 2


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
