"""The feed back: who takes part in the programme, told as it changes."""

import asyncio
import os

import grpc
from updraft.hris.v1 import hris_pb2, hris_pb2_grpc

from connection import Patience

# The service sends a heartbeat when nothing happens; whoever hears nothing for longer has lost the connection.
SILENCE_SECONDS_MAX = 120


class TokenFile:
    """Where the feed was left, kept beside what was made of it."""

    def __init__(self, path):
        self.path = path

    def read(self):
        try:
            with open(self.path, encoding="ascii") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def write(self, token):
        # Whole or not at all: half a token is none.
        draft = f"{self.path}.new"
        with open(draft, "w", encoding="ascii") as file:
            file.write(token)
        os.replace(draft, self.path)


async def follow(connection, source, tokens, handle):
    """Hands every event to `handle` and keeps its token once it is handled, for ever.

    An event may come twice, after a crash between the two: it says how somebody stands, not what has changed. Without a token,
    or with one that is too old, a snapshot comes first; who is not in it when it is complete is gone.
    """
    stub, patience = hris_pb2_grpc.HrisSyncServiceStub(connection.channel), Patience()
    while True:
        request = hris_pb2.WatchWorkersRequest(source_id=source, resume_token=tokens.read())
        call = stub.WatchWorkers(request, metadata=await connection.metadata())
        try:
            while True:
                event = await asyncio.wait_for(call.read(), SILENCE_SECONDS_MAX)
                if event is grpc.aio.EOF:
                    break
                patience.progress()
                handle(event)
                tokens.write(event.resume_token)
        except asyncio.TimeoutError:
            call.cancel()
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.OUT_OF_RANGE:
                tokens.write("")
            else:
                await patience.wait(connection, error)
