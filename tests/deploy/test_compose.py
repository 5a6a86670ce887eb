"""Compose: pinned, watched, reachable from this machine alone, and without a secret of its own."""

import re

from tests.support import deploy_files

COMPOSE = deploy_files.load(deploy_files.DEPLOY / "compose.yml")
SERVICES = COMPOSE["services"]


def test_has_the_parts_of_an_installation():
    assert set(SERVICES) == {"abaco", "postgres", "azurite", "prometheus", "alertmanager", "grafana"}
    assert SERVICES["postgres"]["image"].startswith("postgres:18.")


def test_images_are_of_one_version():
    assert all(re.search(r":v?\d+\.\d+(\.\d+)?(-[a-z]+)?$", service["image"]) for service in SERVICES.values())


def test_ports_are_open_to_this_machine_alone():
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == 4
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_health_of_every_part_is_checked():
    assert all("healthcheck" in service for name, service in SERVICES.items() if name != "abaco")
    waited_for = {
        (other, how["condition"]) for s in SERVICES.values() for other, how in s.get("depends_on", {}).items()
    }
    assert {how for _, how in waited_for} == {"service_healthy"}


def test_secrets_come_from_the_environment_and_must_be_there():
    text = (deploy_files.DEPLOY / "compose.yml").read_text()
    secrets = re.findall(r"^ +\w*(?:PASSWORD|KEY|TOKEN): (.*)", text, re.MULTILINE)
    assert len(secrets) == 3 and all(value.startswith("${") for value in secrets)
    assert re.findall(r"\$\{(\w+):[^?]", text) == ["ABACO_INPUT"]
    assert re.findall(r"\$\{\w+\}|\$\w", text) == []


def test_volumes_are_named_and_binds_are_files_of_the_project():
    mounts = [mount.split(":")[0] for service in SERVICES.values() for mount in service["volumes"]]
    assert {mount for mount in mounts if not mount.startswith(".")} == set(COMPOSE["volumes"])
    assert all((deploy_files.DEPLOY / mount).is_dir() for mount in mounts if mount.startswith("."))


def test_prometheus_has_the_token_where_it_looks_for_it():
    scrape = deploy_files.load(deploy_files.DEPLOY / "prometheus/prometheus.yml")["scrape_configs"][0]
    (name,) = SERVICES["prometheus"]["secrets"]
    assert scrape["authorization"]["credentials_file"] == f"/run/secrets/{name}"
    assert COMPOSE["secrets"][name] == {"environment": "ABACO_SERVE_TOKEN"}
    assert scrape["static_configs"] == [{"targets": ["abaco:8000"]}]


def test_alertmanager_has_what_its_configuration_names_and_prometheus_finds_it():
    configuration = (deploy_files.DEPLOY / "alertmanager/alertmanager.yml").read_text()
    named = set(re.findall(r"/run/secrets/(\w+)", configuration))
    assert set(SERVICES["alertmanager"]["secrets"]) == named
    assert all(COMPOSE["secrets"][name] == {"environment": name.upper()} for name in named)
    (found,) = deploy_files.load(deploy_files.DEPLOY / "prometheus/alertmanagers/compose.yml")
    assert found == {"targets": ["alertmanager:9093"]}


def test_service_writes_to_its_volumes_alone():
    assert SERVICES["abaco"]["read_only"] is True
    assert SERVICES["abaco"]["cap_drop"] == ["ALL"]
