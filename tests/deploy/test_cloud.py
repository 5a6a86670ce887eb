"""Kubernetes and Container Instances: valid, without rights, with the same secrets and limits in each."""

import kubernetes_validate
import pytest

from tests.support import deploy_files, image

PODS = deploy_files.pods()
RESOURCES = deploy_files.resources()


def test_resources_are_valid():
    version = kubernetes_validate.latest_version()
    for resource in RESOURCES.values():
        kubernetes_validate.validate(resource, version, strict=True)


@pytest.mark.parametrize("name", PODS)
def test_pod_has_no_rights(name):
    pod, container = PODS[name], PODS[name]["containers"][0]
    user = image.arguments("USER")[0].split(":")[0]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert str(pod["securityContext"]["runAsUser"]) == user
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize("name", PODS)
def test_pod_has_its_share_of_the_machine(name):
    assert PODS[name]["containers"][0]["resources"] == {
        "requests": {"memory": "2Gi", "cpu": "1"},
        "limits": {"memory": "4Gi", "cpu": "2"},
    }


@pytest.mark.parametrize("name", PODS)
def test_secrets_are_references(name):
    variables = {one["name"]: one for one in PODS[name]["containers"][0]["env"]}
    keys = {key: one["valueFrom"]["secretKeyRef"] for key, one in variables.items() if "valueFrom" in one}
    scheduled = {"ABACO_UNATTENDED"} if name == "job" else set()
    assert {key for key, one in variables.items() if "value" in one} == {"ABACO_ENV", *scheduled}
    assert {one["name"] for one in keys.values()} == {"abaco-secrets"}
    assert keys["AZURE_STORAGE_CONNECTION_STRING"]["key"] == "azure-conn-str"
    assert keys["META_SYSTEM_USER_TOKEN"]["key"] == "cascade-token"


def test_job_is_the_service_without_what_serves():
    service, job = (dict(pod["containers"][0]) for pod in (PODS["service"], PODS["job"]))
    for key in ("args", "ports", "startupProbe", "readinessProbe", "livenessProbe"):
        service.pop(key)
    job.pop("args")
    service["env"] = [one for one in service["env"] if not one["name"].startswith("ABACO_SERVE_")]
    job["env"] = [one for one in job["env"] if one["name"] != "ABACO_UNATTENDED"]
    assert service == job
    assert PODS["service"]["volumes"] == PODS["job"]["volumes"]
    assert PODS["service"]["securityContext"] == PODS["job"]["securityContext"]


@pytest.mark.parametrize("name", PODS)
def test_what_a_pod_mounts_is_there(name):
    for volume in PODS[name]["volumes"]:
        if claim := volume.get("persistentVolumeClaim"):
            assert ("PersistentVolumeClaim", claim["claimName"]) in RESOURCES
        if settings := volume.get("configMap"):
            assert ("ConfigMap", settings["name"]) in RESOURCES
    mounted = {one["name"] for one in PODS[name]["containers"][0]["volumeMounts"]}
    assert mounted == {volume["name"] for volume in PODS[name]["volumes"]}


def test_probes_ask_what_the_service_answers():
    container = PODS["service"]["containers"][0]
    probes = [container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "readiness", "liveness")]
    assert probes == ["/health", "/ready", "/health"]
    assert [str(port["containerPort"]) for port in container["ports"]] == image.arguments("EXPOSE")
    assert RESOURCES["Service", "abaco"]["spec"]["selector"].items() <= container_labels().items()


def container_labels():
    return RESOURCES["Deployment", "abaco"]["spec"]["template"]["metadata"]["labels"]


def test_container_instance_is_sized_alike_and_holds_no_secret():
    (container,) = deploy_files.load(deploy_files.DEPLOY / "aci.yml")["properties"]["containers"]
    resources = container["properties"]["resources"]
    assert resources == {"requests": {"cpu": 1, "memoryInGB": 2}, "limits": {"cpu": 2, "memoryInGB": 4}}
    for variable in container["properties"]["environmentVariables"]:
        assert variable["secureValue"].startswith("<")
