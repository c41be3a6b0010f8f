"""A talk that is cut off from the gateway's side: tells when it has begun, and how it ends."""

import os
import queue

import grpc

with open(os.environ["CA"], "rb") as file:
    credentials = grpc.ssl_channel_credentials(file.read())
channel = grpc.secure_channel(os.environ["TARGET"], credentials)
said = queue.Queue()
talk = channel.stream_stream("/vdss.Sample/Stay")
answers = talk(iter(said.get, None), metadata=(("api-key", os.environ["KEY"]),), timeout=60)
said.put(b"one")
assert next(answers) == b"you said one"
print("talking", flush=True)
try:
    next(answers)
except grpc.RpcError as error:
    assert error.code() != grpc.StatusCode.DEADLINE_EXCEEDED, error
    # For the thread that reads what is to be said.
    said.put(None)
    print("cut off", flush=True)
