#!/bin/sh
# What the tests need of the system besides Python and make: Java 17 or newer, for Spark. Does nothing where it is there.
set -eu
if [ -x "${JAVA_HOME:-/usr}/bin/java" ] || command -v java >/dev/null; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Java, which Spark runs on …"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends default-jre-headless >/dev/null
else
    echo "Java is not there, so what needs Spark is skipped: install Java 17 or newer (on Debian: default-jre-headless)" >&2
fi
