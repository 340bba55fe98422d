"""What botocore is told of the services, in less time than it takes itself."""

from __future__ import annotations

import botocore.session
import pytest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

from pinnacle_backup.store.cloud.descriptions import descriptions


@pytest.fixture(autouse=True)
def _fresh() -> None:
    """Clients write into what they were given."""
    descriptions.cache_clear()


@pytest.mark.parametrize("kind", ["service-2", "paginators-1", "endpoint-rule-set-1", "waiters-2"])
def test_they_are_botocores_own(kind: str) -> None:
    """In every word."""
    assert descriptions().load_service_model("s3", kind) == Loader().load_service_model("s3", kind)
    assert descriptions().load_data("endpoints") == Loader().load_data("endpoints")


@pytest.mark.parametrize("service", ["s3", "sts", "sso", "sso-oidc"])
def test_services_that_profiles_need(service: str) -> None:
    """Credentials come from some of them."""
    session = botocore.session.Session()
    session.register_component("data_loader", descriptions())
    assert session.create_client(service, region_name="us-east-1").meta.service_model.service_name == service
    assert service in descriptions().list_available_services("service-2")


def test_a_service_that_is_none() -> None:
    """The error is botocore's, too."""
    with pytest.raises(UnknownServiceError):
        descriptions().load_service_model("no-such-service", "service-2")
