"""The service: whether it runs where the settings say, is healthy, and has metrics for Prometheus."""

from typing import Any

from abaco.operations.case import PATIENCE_SECONDS, Case, Finding, ok, problem, warning
from abaco.run import folders

ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
SERVED = "pipeline_status"  # a metric that the service always has


def service(case: Case) -> Finding:
    """Ask /health and /metrics, with the token or the password of the environment."""
    import httpx

    host, port = (case.settings["service"][key] for key in ("host", "port"))
    host = ANYWHERE.get(host, host)
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    try:
        with httpx.Client(base_url=address, timeout=PATIENCE_SECONDS, trust_env=False, **_access()) as client:
            return _judged(client, address)
    except httpx.ConnectError:
        from abaco.service.schedule import NOTE

        if (case.output / folders.RUNS / NOTE).exists():
            return warning(
                f"nothing answers at {address}, and it ran before: start it with make serve, or set service.port if it "
                "runs at another"
            )
        return ok(f"does not run at {address}; make serve starts it")
    except httpx.HTTPError as error:
        return problem(
            f"{address} gives no answer ({type(error).__name__}): see logs/service.log, start it again"
        )


def _access() -> dict[str, Any]:
    from abaco.service.security import USER, Access

    access = Access.from_environment()
    if access.token:
        return {"headers": {"Authorization": f"Bearer {access.token}"}}
    return {"auth": (USER, access.password)} if access.password else {}


def _judged(client: Any, address: str) -> Finding:
    answer = client.get("/health")
    try:
        state, said = answer.json()["status"], answer.json()["last_error"]
    except (ValueError, KeyError, TypeError):
        return problem(f"{address} is another program's: stop it, or choose another service.port")
    if state == "unhealthy":
        return problem(f"{address} is unhealthy: {said}")
    metrics = client.get("/metrics")
    if metrics.status_code == 401:
        return problem(
            f"{address} has another token than this environment: set ABACO_SERVE_TOKEN as the service has it"
        )
    if metrics.status_code != 200 or SERVED not in metrics.text:
        return problem(
            f"{address}/metrics answers {metrics.status_code} and no metrics: see logs/service.log"
        )
    count = sum(bool(line) and line[0] != "#" for line in metrics.text.splitlines())
    text = f"{address} is {state} and has {count} metrics for Prometheus"
    return warning(f"{text}; {said}") if said else ok(text)
