#!/bin/sh
# Builds the image of deploy/Dockerfile.pipeline with buildah on a Debian of debootstrap, and runs it with runc as user
# 10001, on a read-only root and without capabilities: report, verify, doctor, backup and serve. Run it as root, in the
# project's folder: `sh tests/deploy/image.sh [options for buildah build]`. It takes five minutes, and is no part of
# `make test`: it needs no docker, but buildah, runc and debootstrap, and rights that few machines give to tests.
set -eu
for program in buildah runc debootstrap; do
    command -v $program >/dev/null || { echo "$program is not installed: apt-get install buildah runc debootstrap" >&2; exit 1; }
done
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs
work=$(mktemp -d)
container=
trap '[ -z "$container" ] || buildah rm "$container" >/dev/null; rm -rf "$work"' EXIT

# docker's own base comes from a registry; this one has the same release of Debian and of Python
base=$(sed -n 's/^FROM //p' deploy/Dockerfile.pipeline)
if ! buildah inspect --type image "$base" >/dev/null 2>&1; then
    echo "Making a base in place of $base …"
    debootstrap --variant=minbase --include=python3,python3-venv,python3-pip,ca-certificates bookworm "$work/base" >/dev/null
    container=$(buildah from scratch)
    buildah copy --quiet "$container" "$work/base" / >/dev/null
    buildah run "$container" -- sh -c 'ln -s python3 /usr/bin/python; rm /usr/lib/python3*/EXTERNALLY-MANAGED'
    buildah commit --quiet --rm "$container" "$base" >/dev/null
    container=
fi
echo "Building …"
buildah build --quiet --format docker --pull=never --network host "$@" -f deploy/Dockerfile.pipeline -t abaco:proof . >/dev/null
container=$(buildah from --pull-never abaco:proof)
root=$(buildah mount "$container")
for folder in data reports logs backups; do
    mkdir "$work/$folder"
    cp -a "$root/app/$folder/." "$work/$folder/"
    chown -R 10001:10001 "$work/$folder"
done

# inside NAME COMMAND...: run a command in a container of its own
inside() {
    name=$1
    shift
    mkdir -p "$work/$name"
    (cd "$work/$name" && runc spec)
    python3 - "$work" "$work/$name/config.json" "$root" "$@" <<'PYTHON'
import json, sys
work, path, root, *command = sys.argv[1:]
spec = json.load(open(path))
spec["root"] = {"path": root, "readonly": True}
process = spec["process"]
process |= {"terminal": False, "args": command, "cwd": "/app", "noNewPrivileges": True}
process["user"] = {"uid": 10001, "gid": 10001}
process["capabilities"] = {kind: [] for kind in process["capabilities"]}
process["env"] = ["PATH=/usr/local/bin:/usr/bin:/bin", "ABACO_ROOT=/app", "HOME=/tmp", "ABACO_SERVE_TOKEN=0123456789abcdef"]
own = [{"destination": f"/app/{name}", "type": "bind", "source": f"{work}/{name}", "options": ["bind", "rw"]}
       for name in ("data", "reports", "logs", "backups")]
spec["mounts"] += [*own, {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777"]}]
spec["linux"]["namespaces"] = [one for one in spec["linux"]["namespaces"] if one["type"] not in ("network", "cgroup")]
json.dump(spec, open(path, "w"))
PYTHON
    runc run --bundle "$work/$name" "abaco-$name-$$"
}

inside who sh -c 'id -u; grep CapEff /proc/self/status; touch /app/here 2>&1 || echo "the root is read-only"'
inside report abaco report --date 2025-12-31
inside verify abaco verify --date 2025-12-31 | tail -1
inside doctor abaco doctor || true # it names what is not set up
inside backup abaco backup --to /app/backups/proof.tar.gz
inside serve abaco serve --port 8765 --params service.cron= >"$work/serve.log" 2>&1 &
for _ in $(seq 60); do
    health=$(curl --silent --fail --header "Authorization: Bearer 0123456789abcdef" localhost:8765/health || true)
    [ -z "$health" ] || break
    sleep 1
done
runc kill "abaco-serve-$$" TERM
wait
echo "serve: $health"
[ -n "$health" ]
