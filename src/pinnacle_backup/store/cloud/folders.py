"""What lies below a place: buckets know no folders, but keys with slashes look like some."""

from __future__ import annotations

from pinnacle_backup.store.cloud.place import S3, CloudPlace


def folders_below(place: CloudPlace) -> list[str]:
    """
    Return the prefixes one step below a place, in order.

    Raises:
        StoreError: They cannot be listed.
    """
    return _in_s3(place) if place.provider == S3 else _elsewhere(place)


def _elsewhere(place: CloudPlace) -> list[str]:
    from pinnacle_backup.store.cloud.blobs.client import client_to  # noqa: PLC0415 - see ``open_store``
    from pinnacle_backup.store.cloud.blobs.failures import failures  # noqa: PLC0415

    client = client_to(place)
    with failures(place, "list"):
        found = client.ask("list_with_delimiter", client.reader, place.prefix or None)
    return sorted(found["common_prefixes"])


def _in_s3(place: CloudPlace) -> list[str]:
    from pinnacle_backup.store.cloud.connection import connection_to  # noqa: PLC0415 - see ``open_store``
    from pinnacle_backup.store.cloud.failures import failures  # noqa: PLC0415

    above = f"{place.prefix}/" if place.prefix else ""
    found: list[str] = []
    more: dict[str, str] = {}
    with failures(place, "list"):
        while True:
            page = connection_to(place).ask("list_objects_v2", Prefix=above, Delimiter="/", **more)
            found += [each["Prefix"].strip("/") for each in page.get("CommonPrefixes", ())]
            token = page.get("NextContinuationToken", "")
            if not page.get("IsTruncated") or not token or token == more.get("ContinuationToken"):
                return sorted(set(found))
            more = {"ContinuationToken": token}
