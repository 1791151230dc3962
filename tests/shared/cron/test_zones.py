"""Time zones are IANA names of the pinned tzdata package."""

import pytest

from shared.cron import ZoneError, zone


@pytest.mark.parametrize("name", ["UTC", "Etc/UTC", "Europe/Berlin", "America/Argentina/Ushuaia", "Asia/Calcutta"])
def test_every_name_in_tzdata_is_known(name: str) -> None:
    assert zone(name).key == name


def test_no_name_means_utc() -> None:
    assert zone("").key == "Etc/UTC"


REFUSED = {
    "the machine's own": ("localtime", "not an IANA"),
    "Go's word for the machine's own": ("Local", "not an IANA"),
    "a folder": ("Europe", "not an IANA"),
    "leap-second zones": ("right/UTC", "not an IANA"),
    "posix zones": ("posix/UTC", "not an IANA"),
    "another case": ("europe/berlin", '"Europe/Berlin"'),
    "a misspelt city": ("Europe/Berln", "similar: Europe/Berlin"),
    "a path out of the database": ("../../etc/passwd", "not an IANA"),
    "an offset": ("+02:00", "not an IANA"),
}


@pytest.mark.parametrize(("name", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_anything_else_is_refused_with_a_hint(name: str, message: str) -> None:
    with pytest.raises(ZoneError) as fault:
        zone(name)

    assert message in str(fault.value)
