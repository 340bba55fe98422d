"""The server follows its configuration, and the files that it refers to."""

from __future__ import annotations

from pathlib import Path

from pinnacle_backup.app.place import Place
from pinnacle_backup.web.in_force import InForce


def test_a_password_that_is_changed_in_its_own_file_is_in_force(tmp_path: Path) -> None:
    file, secret = tmp_path / "config.json", tmp_path / "mail.secret"
    file.write_text('{"notifications": {"smtp": {"password": {"$file": "mail.secret"}}}}')
    secret.write_text("the first one\n")
    in_force = InForce(Place(str(tmp_path), str(file), {}))

    def password() -> str:
        found = in_force.look().notifications.smtp.password
        assert found is not None
        return found.reveal()

    assert password() == "the first one"
    secret.write_text("the second, longer one\n")
    assert password() == "the second, longer one"
    known = in_force.look()
    assert in_force.look() is known
