"""Calls that the gateway refuses, and how a real client reads the refusals."""

import os

import grpc

with open(os.environ["CA"], "rb") as file:
    credentials = grpc.ssl_channel_credentials(file.read())
channel = grpc.secure_channel(os.environ["TARGET"], credentials)
key, reader = os.environ["KEY"], os.environ["READER"]
LIMIT = 30


def check(path, metadata, code, words):
    call = channel.unary_unary(path)
    stream = channel.stream_stream(path)
    for attempt in (
        lambda: call(b"hello", metadata=metadata, timeout=LIMIT),
        lambda: list(stream(iter([b"hello"]), metadata=metadata, timeout=LIMIT)),
    ):
        try:
            attempt()
        except grpc.RpcError as error:
            assert (error.code(), error.details()) == (code, words), (path, metadata, error)
        else:
            raise AssertionError(f"{path} was not refused")


NOBODY = (grpc.StatusCode.UNAUTHENTICATED, "Sign in to go on.")
NOT_FOR_YOU = (grpc.StatusCode.PERMISSION_DENIED, "You are signed in, but this is not for you.")
ECHO = "/vdss.Sample/Echo"
check(ECHO, (), *NOBODY)
check(ECHO, (("api-key", "vdai_none"),), *NOBODY)
check(ECHO, (("api-key", key[:-1]), ("authorization", f"Bearer {key[:-1]}")), *NOBODY)
check(ECHO, (("authorization", "Bearer x.y.z"),), *NOBODY)
# Two that differ: nobody's guess.
check(ECHO, (("api-key", key), ("authorization", f"Bearer {reader}")), *NOBODY)
check(ECHO, (("api-key", reader), ("authorization", f"Bearer {key}")), *NOBODY)
# Every call is a POST, so a key that may only read may not.
check(ECHO, (("api-key", reader),), *NOT_FOR_YOU)
check("/admin/x", (("api-key", key),), *NOT_FOR_YOU)
away = (grpc.StatusCode.UNAVAILABLE, "The service behind the gateway did not answer as it should.")
check("/away.Service/Call", (("api-key", key),), *away)
print("done")
