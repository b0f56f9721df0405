"""A stock nameko peer can take part: the protocol is nameko's."""

from __future__ import annotations

import subprocess
import sys

CLIENT = """
import sys
from nameko.exceptions import RemoteError
from nameko.standalone.rpc import ClusterRpcProxy
with ClusterRpcProxy({"AMQP_URI": sys.argv[1]}, timeout=5) as cluster:
    print(cluster.alpha.echo(note="stock"))
    try:
        cluster.alpha.fail(how="conflict")
    except RemoteError as error:
        print(error.exc_type, error.value)
    try:
        cluster.alpha.fail(how="foreign")
    except RemoteError as error:
        print(error.exc_type, error.value)
"""


def test_a_stock_nameko_client_gets_answers_and_errors(alpha, broker) -> None:
    client = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CLIENT, broker.url],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert client.stdout.splitlines() == ["{'note': 'stock'}", "Conflict taken", "InternalError Internal error"], client
