"""The files in deploy/ agree with the engine: its options, its folders, its time limits."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.cli import build_parser
from engine.sdk.quantities import parse_duration
from engine.tasks.definition.task import Timeouts

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
DRAIN = Timeouts().drain


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile: each instruction with its arguments."""
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in lines)]


def of(name: str) -> list[str]:
    return [rest for each, rest in instructions() if each == name]


def command_of_image() -> list[str]:
    (entry,) = of("ENTRYPOINT")
    return list(yaml.safe_load(entry))


def options(command: list[str]) -> Any:
    """The command line as the engine understands it; an unknown option ends the test."""
    assert command[0].rpartition("/")[2] == "engine"
    return build_parser([command[1]]).parse_args(command[1:])


def unit() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / "snapline.service").read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def manifests() -> dict[str, Any]:
    found = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())
    return {each["kind"]: each for each in found}


def compose() -> dict[str, Any]:
    (service,) = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"].values()
    return dict(service)


def test_the_image_runs_as_its_own_user_and_checks_its_health_with_the_engine() -> None:
    assert of("USER") == ["10001:10001"]
    (health,) = of("HEALTHCHECK")
    assert options(yaml.safe_load(health.partition("CMD ")[2])).ready
    serving = options([*command_of_image(), "tasks/digits.yaml"])
    assert (serving.host, serving.port, serving.log_format) == ("0.0.0.0", 8080, "json")
    assert of("EXPOSE") == [str(serving.port)]
    assert instructions()[-1] == ("CMD", '["--help"]')


def test_the_image_copies_only_what_exists_and_what_the_build_context_has() -> None:
    allowed = [
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    copied = [
        source
        for rest in of("COPY")
        if not rest.startswith("--from")
        for source in rest.split()[:-1]
    ]
    assert set(copied) == set(allowed)
    assert all((ROOT / source).exists() for source in copied)


def test_the_extras_of_the_image_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (extras,) = [rest.partition("=")[2] for rest in of("ARG") if rest.startswith("EXTRAS")]
    assert set(extras.strip("[]").split(",")) <= project["optional-dependencies"].keys()


def test_the_folders_of_the_image_are_mounted_where_its_file_system_is_read_only() -> None:
    (environment,) = of("ENV")
    pairs = dict(part.split("=", 1) for part in environment.split())
    folders = {path for name, path in pairs.items() if name != "PATH"} | {"/tmp"}
    container = manifests()["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert {each["mountPath"] for each in container["volumeMounts"]} == folders
    service = compose()
    assert service["read_only"]
    volumes = {each.split(":")[1] for each in service["volumes"]} - {"/project"}
    assert volumes | {each.split(":")[0] for each in service["tmpfs"]} == folders
    assert set(unit()["Environment"][0].split()) == {
        f"{name}={path}" for name, path in pairs.items() if name != "PATH"
    }


def test_who_ends_the_server_gives_it_the_time_that_it_may_take() -> None:
    delay = parse_duration(options([*command_of_image(), "x.yaml"]).drain_delay)
    pod = manifests()["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    command = container["lifecycle"]["preStop"]["exec"]["command"]
    assert command[0] == "sleep"
    assert pod["terminationGracePeriodSeconds"] >= float(command[1]) + delay + DRAIN + 10
    assert parse_duration(compose()["stop_grace_period"]) >= delay + DRAIN + 10
    assert float(unit()["TimeoutStopSec"][0]) >= DRAIN + 10


def test_the_probes_ask_for_pages_of_the_server() -> None:
    pod = manifests()["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    for probe in ("livenessProbe", "startupProbe"):
        assert container[probe]["httpGet"]["path"] == "/healthz"
    serving = options([*command_of_image(), *container["args"]])
    assert container["ports"] == [{"name": "http", "containerPort": serving.port}]
    assert pod["securityContext"]["runAsUser"] == int(of("USER")[0].partition(":")[0])
    service, budget = manifests()["Service"], manifests()["PodDisruptionBudget"]
    labels = manifests()["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] == budget["spec"]["selector"]["matchLabels"] == labels
    assert service["spec"]["ports"][0]["targetPort"] == "http"


def test_the_compose_file_serves_a_task_of_this_project() -> None:
    service = compose()
    serving = options([*command_of_image(), *service["command"]])
    (file,) = serving.files
    assert (ROOT / file).is_file()
    read = set(re.findall(r"\$\{env:(\w+)\}", (ROOT / file).read_text()))
    assert read <= set(service["environment"])
    pod = manifests()["Deployment"]["spec"]["template"]["spec"]
    assert read <= {each["name"] for each in pod["containers"][0]["env"]}
    assert service["build"]["dockerfile"] == "deploy/Dockerfile"


def test_the_unit_starts_the_server_with_options_that_it_has(tmp_path: Path) -> None:
    (start,) = unit()["ExecStart"]
    options([*shlex.split(start.replace("$FILES", "")), "a.yaml"])
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd")
    text = (DEPLOY / "snapline.service").read_text()
    file = tmp_path / "snapline.service"
    file.write_text(text.replace("/opt/snapline/bin/engine", sys.executable))
    ended = subprocess.run(
        ["systemd-analyze", "verify", file], capture_output=True, text=True, check=False
    )
    assert "snapline.service" not in ended.stderr


def test_the_unit_may_do_little() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd")
    options = ["--offline=true", "--threshold=20"]  # of 100
    ended = subprocess.run(
        ["systemd-analyze", "security", *options, DEPLOY / "snapline.service"],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unrecognized option" in ended.stderr:
        pytest.skip("needs systemd 250")
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_no_file_names_a_registry() -> None:
    for file in DEPLOY.iterdir():
        for image in re.findall(r"(?:^FROM|image:) +(\S+)", file.read_text(), re.MULTILINE):
            assert "." not in image.partition("/")[0].partition(":")[0]


def test_the_ray_job_has_room_for_its_workers_when_a_node_is_lost() -> None:
    spec = yaml.safe_load((DEPLOY / "rayjob.yaml").read_text())["spec"]
    command = options(shlex.split(spec["entrypoint"]))
    cluster = spec["rayClusterSpec"]
    (group,) = cluster["workerGroupSpecs"]
    (node,) = group["template"]["spec"]["containers"]
    (head,) = cluster["headGroupSpec"]["template"]["spec"]["containers"]
    cpus = int(node["resources"]["limits"]["cpu"])
    assert command.on == "ray"
    assert command.workers == (group["replicas"] - 1) * cpus
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert node["image"] == head["image"]
    assert node["volumeMounts"] == head["volumeMounts"]
    assert cluster["authOptions"] == {"mode": "token"}
