"""Calls of every kind through the gateway, with the credentials of the environment."""

import os
import queue

import grpc

with open(os.environ["CA"], "rb") as file:
    credentials = grpc.ssl_channel_credentials(file.read())
channel = grpc.secure_channel(os.environ["TARGET"], credentials)
key = os.environ["KEY"]
metadata = (("api-key", key), ("authorization", f"Bearer {key}"))
LIMIT = 30


def refused(code, call):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, error
        return error
    raise AssertionError("it was not refused")


echo = channel.unary_unary("/vdss.Sample/Echo")
reply, call = echo.with_call(b"hello", metadata=metadata, timeout=LIMIT)
assert reply == b"hello"
assert dict(call.initial_metadata())["x-initial"] == "first"
trailing = dict(call.trailing_metadata())
assert trailing["x-trailing"] == "last" and trailing["x-bytes-bin"] == b"\x00\xff", trailing

size = 3_000_000
large = channel.unary_unary("/vdss.Sample/Large")
assert len(large(str(size).encode(), metadata=metadata, timeout=LIMIT)) == size
assert echo(b"y" * size, metadata=metadata, timeout=LIMIT) == b"y" * size

fail = channel.unary_unary("/vdss.Sample/Fail")
error = refused(
    grpc.StatusCode.FAILED_PRECONDITION,
    lambda: fail(b"", metadata=metadata, timeout=LIMIT),
)
assert error.details() == "not so: 100 % wrong\nü", error.details()
unknown = channel.unary_unary("/vdss.Sample/Unknown")
refused(grpc.StatusCode.UNIMPLEMENTED, lambda: unknown(b"", metadata=metadata, timeout=LIMIT))

count = channel.unary_stream("/vdss.Sample/Count")
assert list(count(b"500", metadata=metadata, timeout=LIMIT)) == [
    str(number).encode() for number in range(500)
]
join = channel.stream_unary("/vdss.Sample/Join")
assert join(iter([b"a", b"b", b"c"]), metadata=metadata, timeout=LIMIT) == b"a,b,c"

# Each request is sent only after the answer to the one before it: neither side is held back.
said = queue.Queue()
talk = channel.stream_stream("/vdss.Sample/Talk")
answers = talk(iter(said.get, None), metadata=metadata, timeout=LIMIT)
for word in [b"one", b"two", b"three"]:
    said.put(word)
    assert next(answers) == b"you said " + word
said.put(None)
assert list(answers) == []
assert answers.code() == grpc.StatusCode.OK

# Many at once, more than one connection carries.
calls = [echo.future(str(n).encode(), metadata=metadata, timeout=LIMIT) for n in range(250)]
assert [call.result() for call in calls] == [str(n).encode() for n in range(250)]

wait = channel.unary_stream("/vdss.Sample/Wait")
waiting = wait(b"", metadata=metadata, timeout=LIMIT)
assert next(waiting) == b"waiting"
waiting.cancel()
print("done")
