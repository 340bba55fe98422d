"""The service, installed and removed by a systemctl that writes down what it is asked."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pinnacle_backup.app import service
from pinnacle_backup.app.place import Place
from pinnacle_backup.app.systemctl import Systemd
from pinnacle_backup.errors import ConfigError, PinnacleError, UsageError

PROGRAM = ("/usr/bin/python3", "-P", "-m", "pinnacle_backup")
SYSTEMCTL = """#!/bin/sh
echo "$LC_ALL: $*" >> {asked}
case "$*" in
*show*) printf 'ActiveState=active\\nSubState=running\\nUnitFileState=enabled\\nMainPID=77\\nStatusText=next run at 02:00\\n';;
*$FAILS*) echo "Job for it failed." >&2; echo more >&2; exit 1;;
esac
"""


class Machine:
    """A machine with systemd, on which a studio is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.units = folder / "units"
        self.asked = folder / "asked"
        self.environ = {"PATH": f"{folder}/bin:/bin:/usr/bin", "FAILS": "nothing"}
        for name in ("bin", "booted"):
            (folder / name).mkdir()
        program = folder / "bin/systemctl"
        program.write_text(SYSTEMCTL.format(asked=self.asked))
        program.chmod(0o755)

    def systemd(self, *, user: bool = False) -> Systemd:
        units = str(self.units) + ("-of-the-user" if user else "")
        return Systemd(units=units, user=user, environ=self.environ, booted=str(self.folder / "booted"))

    def studio(self, name: str = "studio", configuration: str = "{}", **environ: str) -> Place:
        root = self.folder / name
        root.mkdir(parents=True, exist_ok=True)
        (root / "config.json").write_text(configuration)
        os.chmod(root / "config.json", 0o600)
        return Place(str(root), str(root / "config.json"), {**self.environ, **environ})

    def orders(self) -> list[str]:
        """What systemctl was asked since the last question."""
        lines = self.asked.read_text().splitlines() if self.asked.exists() else []
        self.asked.unlink(missing_ok=True)
        assert all(line.startswith("C: ") for line in lines), "in English"
        return [line.partition("--no-ask-password ")[2] for line in lines]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_it_is_written_enabled_and_started(machine: Machine) -> None:
    place = machine.studio("my studio")

    done = service.install(place, machine.systemd(), PROGRAM)

    assert (done.name, done.action, done.notes) == ("pinnacle-backup-my-studio", "installed", ())
    file = machine.units / "pinnacle-backup-my-studio.service"
    assert done.file == str(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert os.listdir(machine.units) == [file.name], "nothing half-written stays"
    command = 'ExecStart=/usr/bin/python3 -P -m pinnacle_backup --root "{}" schedule --start-scheduler\n'
    assert command.format(place.root) in file.read_text()
    assert machine.orders() == ["daemon-reload", f"enable {file.name}", f"restart {file.name}"]


def test_installing_again_starts_it_again_only_where_something_changed(machine: Machine) -> None:
    """A restart would stop the backup that it is making."""
    place, systemd = machine.studio(), machine.systemd()
    service.install(place, systemd, PROGRAM)
    machine.orders()

    assert service.install(place, systemd, PROGRAM).action == "unchanged"
    assert machine.orders() == [
        "enable pinnacle-backup-studio.service",
        "start pinnacle-backup-studio.service",
    ]
    assert service.install(place, systemd, ("/opt/python", "/opt/script")).action == "updated"
    assert machine.orders()[-1] == "restart pinnacle-backup-studio.service"


def test_studios_of_one_name_live_side_by_side(machine: Machine) -> None:
    """Neither unit is touched by the other's installation, status or removal."""
    one, two, systemd = machine.studio("a/studio"), machine.studio("b/studio"), machine.systemd()
    first = service.install(one, systemd, PROGRAM)
    text = Path(first.file).read_text()

    second = service.install(two, systemd, PROGRAM)

    assert first.name != second.name
    assert Path(first.file).read_text() == text
    assert service.uninstall(two, [systemd]).name == second.name
    assert os.listdir(machine.units) == [f"{first.name}.service"]
    assert not service.state(two, [systemd], PROGRAM).installed
    assert service.state(one, [systemd], PROGRAM).name == first.name


@pytest.mark.parametrize(
    ("text", "said"),
    [("[Unit]\nDescription=of the administrator\n", "is not one of ours"), (None, "belongs to the studio /")],
    ids=["foreign", "another studio"],
)
def test_the_unit_of_something_else_is_never_overwritten(
    machine: Machine, text: str | None, said: str
) -> None:
    systemd, place = machine.systemd(), machine.studio()
    file = machine.units / "nightly.service"
    if text is None:
        service.install(machine.studio("other"), systemd, PROGRAM, "nightly")
    else:
        machine.units.mkdir()
        file.write_text(text)
    before = file.read_text()

    with pytest.raises(UsageError, match=said):
        service.install(place, systemd, PROGRAM, "nightly")
    assert file.read_text() == before
    assert not service.state(place, [systemd], PROGRAM).installed


def test_a_link_that_leads_nowhere_is_somebody_elses_too(machine: Machine) -> None:
    """``systemctl mask`` makes links to /dev/null."""
    machine.units.mkdir()
    os.symlink(os.devnull, machine.units / "nightly.service")

    with pytest.raises(UsageError, match="not one of ours"):
        service.install(machine.studio(), machine.systemd(), PROGRAM, "nightly")


def test_a_studio_has_one_service_whatever_its_name(machine: Machine) -> None:
    place, systemd = machine.studio(), machine.systemd()
    service.install(place, systemd, PROGRAM, "nightly.service")

    assert service.install(place, systemd, PROGRAM).name == "nightly"
    with pytest.raises(UsageError, match="the service of this studio is nightly"):
        service.install(place, systemd, PROGRAM, "other")
    assert service.uninstall(place, [systemd]).name == "nightly"


def test_another_configuration_file_is_named(machine: Machine) -> None:
    place = machine.studio()
    os.rename(place.file, f"{place.root}/other.json")
    other = Place(place.root, f"{place.root}/other.json", place.environ)

    done = service.install(other, machine.systemd(), PROGRAM)

    assert f" --config {place.root}/other.json schedule" in Path(done.file).read_text()


def test_the_server_is_one_service_with_its_scheduler(machine: Machine) -> None:
    """Installed again it stays the server that it is, also under a new version; other options change it."""
    place, systemd = machine.studio(), machine.systemd()
    service.install(place, systemd, PROGRAM)

    done = service.install(place, systemd, PROGRAM, serve=("--port", "9000"))

    assert (done.action, os.listdir(machine.units)) == ("updated", [f"{done.name}.service"])
    assert f"--root {place.root} serve --port 9000\n" in Path(done.file).read_text()
    assert service.install(place, systemd, PROGRAM).action == "unchanged"
    assert service.state(place, [systemd], PROGRAM).current
    assert not service.state(place, [systemd], ("/opt/python", "script")).current
    assert service.install(place, systemd, ("/opt/python", "script")).action == "updated"
    assert "script --root" in (text := Path(done.file).read_text())
    assert text.count("serve --port 9000") == 1
    assert service.install(place, systemd, PROGRAM, serve=()).action == "updated"
    assert f"--root {place.root} serve\n" in Path(done.file).read_text()


def test_without_systemd_the_server_is_started_otherwise(machine: Machine) -> None:
    (machine.folder / "booted").rmdir()

    with pytest.raises(UsageError, match="systemd does not run here") as raised:
        service.install(machine.studio(), machine.systemd(), PROGRAM, serve=("--port", "9000"))

    assert "pinnacle-backup serve --port 9000 --daemon; " in raised.value.hint


def test_without_systemd_it_says_what_does_the_same(machine: Machine) -> None:
    (machine.folder / "booted").rmdir()
    place = machine.studio("50% off")

    with pytest.raises(UsageError, match="systemd does not run here") as raised:
        service.install(place, machine.systemd(), PROGRAM)

    assert "schedule --start-scheduler --daemon; " in raised.value.hint
    root = place.root.replace("%", "\\%")
    assert f"@reboot /usr/bin/python3 -P -m pinnacle_backup --root '{root}' schedule" in raised.value.hint
    assert not machine.units.exists()


def test_without_systemctl_it_says_the_same(machine: Machine) -> None:
    (machine.folder / "bin/systemctl").unlink()
    machine.environ["PATH"] = str(machine.folder / "bin")

    with pytest.raises(UsageError, match="systemd does not run here"):
        service.install(machine.studio(), machine.systemd(), PROGRAM)


def test_a_wrong_configuration_is_not_installed(machine: Machine) -> None:
    with pytest.raises(ConfigError):
        service.install(machine.studio(configuration='{"backup": {"path": []}}'), machine.systemd(), PROGRAM)

    assert machine.orders() == []


def test_one_that_does_not_start_is_told_with_where_to_look(machine: Machine) -> None:
    machine.environ["FAILS"] = "restart"

    with pytest.raises(PinnacleError) as raised:
        service.install(machine.studio(), machine.systemd(user=True), PROGRAM)

    assert raised.value.message == "systemctl restart pinnacle-backup-studio.service: Job for it failed."
    assert raised.value.hint == "see journalctl --user -u pinnacle-backup-studio -n 20"


def test_who_may_not_write_there_is_told_what_he_can_do(machine: Machine) -> None:
    machine.units.write_text("in the way")

    with pytest.raises(PinnacleError, match=r"cannot be written: (Not a directory|File exists)"):
        service.install(machine.studio(), machine.systemd(), PROGRAM)


def test_variables_that_the_service_will_miss_are_named(machine: Machine) -> None:
    """By name only, and no longer once they have their file."""
    secret = '{"backup": {"encryption": {"key": {"$env": "C4NARY"}}}}'
    needed = machine.studio("one", secret, C4NARY="c4nary-of-the-service")
    given = machine.studio("two", PINNACLE_PASSWORD="c4nary-of-the-service", PINNACLE_ROOT="x")

    for place, named in ((needed, "C4NARY"), (given, "(PINNACLE_PASSWORD)")):
        (note,) = service.install(place, machine.systemd(), PROGRAM).notes
        assert named in note
        assert "c4nary" not in note
        assert "/etc/pinnacle-backup-" in note


def test_removing_stops_it_first(machine: Machine) -> None:
    place, systemd = machine.studio(), machine.systemd()
    service.install(place, systemd, PROGRAM)
    machine.orders()

    service.uninstall(place, [machine.systemd(user=True), systemd])

    assert machine.orders() == ["disable --now pinnacle-backup-studio.service", "daemon-reload"]
    assert os.listdir(machine.units) == []
    with pytest.raises(UsageError, match="no service is installed"):
        service.uninstall(place, [systemd])


def test_how_it_stands(machine: Machine) -> None:
    place, systemd = machine.studio(), machine.systemd()
    service.install(place, systemd, PROGRAM)

    found = service.state(place, [systemd], PROGRAM)

    assert (found.active, found.enabled, found.pid, found.runs) == ("active (running)", "enabled", 77, True)
    assert found.says == "next run at 02:00"
    assert found.current
    assert not service.state(place, [systemd], ("/opt/python", "script")).current


def test_without_systemd_it_can_still_be_looked_at_and_removed(machine: Machine) -> None:
    place, systemd = machine.studio(), machine.systemd()
    service.install(place, systemd, PROGRAM)
    (machine.folder / "booted").rmdir()

    found = service.state(place, [systemd], PROGRAM)

    assert (found.installed, found.active, found.runs) == (True, "", False)
    service.uninstall(place, [systemd])
    assert os.listdir(machine.units) == []
