#!/bin/sh
# Install the newest allowed version of every dependency into a new environment, and run the tests there.
# For once a week: what breaks here breaks for everybody who installs today.
#
#     scripts/newest.sh [arguments for pytest]
set -eu
cd "$(dirname "$0")/.."
environment=$(mktemp -d)
trap 'rm -rf "$environment"' EXIT
"${PYTHON:-python3}" -m venv "$environment"
"$environment/bin/pip" install --quiet --upgrade pip
"$environment/bin/pip" install --quiet --upgrade --upgrade-strategy eager --editable '.[test]'
"$environment/bin/pip" check
"$environment/bin/pip" freeze --exclude-editable
"$environment/bin/python" -m pytest --no-cov "$@"
