"""One run: opened or taken up again, all workers streamed, finished, and reported."""

import asyncio
import uuid

import grpc
from updraft.hris.v1 import hris_pb2, hris_pb2_grpc

from connection import Patience

# How many records are on their way at most: enough to keep the service busy, and all that is kept in memory.
UNANSWERED_MAX = 4000


class Run:
    """A run of one source."""

    def __init__(self, connection, run_id):
        self.connection, self.run_id = connection, run_id
        self.stub = hris_pb2_grpc.HrisSyncServiceStub(connection.channel)

    @classmethod
    async def open(cls, connection, source, mode, dry_run=False, request_id=None):
        """Opens a run. The request id makes it safe to ask twice: the same one is the same run."""
        run = cls(connection, None)
        request = hris_pb2.CreateSyncRunRequest(
            source_id=source, mode=mode, dry_run=dry_run, request_id=request_id or str(uuid.uuid4())
        )
        answer = await run._call(run.stub.CreateSyncRun, request)
        run.run_id = answer.sync_run.sync_run_id
        return run

    async def get(self):
        """The run as it stands."""
        return (await self._call(self.stub.GetSyncRun, hris_pb2.GetSyncRunRequest(sync_run_id=self.run_id))).sync_run

    async def upload(self, workers):
        """Streams workers, and goes on where it was when the connection breaks; answers with how many different ones it sent.

        What was sent and not answered is sent again. That changes nothing if it had arrived: a record of the version that is
        stored is UNCHANGED.
        """
        unanswered, records, seen, patience = {}, enumerate(workers, start=1), set(), Patience()
        while True:
            try:
                await self._stream(unanswered, records, seen, patience)
                return len(seen)
            except grpc.aio.AioRpcError as error:
                await patience.wait(self.connection, error)

    async def _stream(self, unanswered, records, seen, patience):
        call = self.stub.UpsertWorkers(metadata=await self.connection.metadata())
        room = asyncio.Condition()

        async def write():
            for request in list(unanswered.values()):
                await call.write(request)
            while True:
                async with room:
                    await room.wait_for(lambda: len(unanswered) < UNANSWERED_MAX)
                client_ref, worker = next(records, (None, None))
                if worker is None:
                    break
                upsert = hris_pb2.WorkerUpsert(worker=worker)
                request = hris_pb2.UpsertWorkersRequest(sync_run_id=self.run_id, client_ref=client_ref, upsert=upsert)
                # Before it is sent, so that it is sent again if that fails.
                unanswered[client_ref] = request
                seen.add(worker.external_id)
                await call.write(request)
            await call.done_writing()

        async def write_until_broken():
            try:
                await write()
            except (grpc.aio.AioRpcError, grpc.aio.InternalError, asyncio.InvalidStateError):
                # The call is over; whoever reads is told why.
                pass

        async def read():
            async for answer in call:
                patience.progress()
                unanswered.pop(answer.client_ref, None)
                async with room:
                    room.notify_all()

        # Both at once: whoever only writes waits for a service that waits for its answers to be read.
        tasks = [asyncio.create_task(read()), asyncio.create_task(write_until_broken())]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            call.cancel()

    async def finish(self, expected_workers):
        """Ends the run; the number unmasks an export that was cut off on its way."""
        request = hris_pb2.FinishSyncRunRequest(sync_run_id=self.run_id, expected_workers=expected_workers)
        return (await self._call(self.stub.FinishSyncRun, request)).sync_run

    async def drop(self):
        """Gives the run up; nobody leaves."""
        await self._call(self.stub.DropSyncRun, hris_pb2.DropSyncRunRequest(sync_run_id=self.run_id))

    async def issues(self):
        """Everything that somebody should look at, in the order it was found."""
        token = ""
        while True:
            request = hris_pb2.ListSyncRunIssuesRequest(sync_run_id=self.run_id, page_size=200, page_token=token)
            page = await self._call(self.stub.ListSyncRunIssues, request)
            for issue in page.issues:
                yield issue
            token = page.next_page_token
            if not token:
                return

    async def _call(self, method, request):
        patience = Patience()
        while True:
            try:
                return await method(request, metadata=await self.connection.metadata(), timeout=60)
            except grpc.aio.AioRpcError as error:
                await patience.wait(self.connection, error)

