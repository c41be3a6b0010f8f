"""A gRPC service without protobuf, over plain HTTP/2 on loopback: bytes in, bytes out.

Prints its port, then one line of JSON for each call that it sees, and one for each that is cancelled.
"""

import json
import sys
import threading
from concurrent import futures

import grpc


def say(**what):
    print(json.dumps(what), flush=True)


class Service(grpc.GenericRpcHandler):
    def service(self, details):
        metadata = [[pair.key, pair.value] for pair in details.invocation_metadata]
        say(method=details.method, metadata=[p for p in metadata if isinstance(p[1], str)])
        kinds = {
            "Echo": grpc.unary_unary_rpc_method_handler(echo),
            "Large": grpc.unary_unary_rpc_method_handler(large),
            "Fail": grpc.unary_unary_rpc_method_handler(fail),
            "Count": grpc.unary_stream_rpc_method_handler(count),
            "Join": grpc.stream_unary_rpc_method_handler(join),
            "Talk": grpc.stream_stream_rpc_method_handler(talk),
            "Stay": grpc.stream_stream_rpc_method_handler(stay),
            "Wait": grpc.unary_stream_rpc_method_handler(wait),
        }
        return kinds.get(details.method.rsplit("/", 1)[1])


def echo(request, context):
    context.send_initial_metadata((("x-initial", "first"),))
    context.set_trailing_metadata((("x-trailing", "last"), ("x-bytes-bin", b"\x00\xff")))
    return request


def large(request, context):
    return b"x" * int(request)


def fail(request, context):
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not so: 100 % wrong\nü")


def count(request, context):
    for number in range(int(request)):
        yield str(number).encode()


def join(requests, context):
    return b",".join(requests)


def talk(requests, context):
    for request in requests:
        yield b"you said " + request


def stay(requests, context):
    over = threading.Event()
    context.add_callback(over.set)
    try:
        for request in requests:
            yield b"you said " + request
    finally:
        # A client that is done and one that was cut off may both look like the end of what it says:
        # only a call that was cut off is over before it was answered.
        say(cancelled=over.wait(20))


def wait(request, context):
    over = threading.Event()
    context.add_callback(over.set)
    yield b"waiting"
    over.wait(60)
    say(cancelled=True)


def main():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=32))
    server.add_generic_rpc_handlers((Service(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(None)


main()
