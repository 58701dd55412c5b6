"""Sends the workers of a CSV export to Updraft, and follows what the programme does with them. See README.md beside this file."""

import argparse
import asyncio
import json
import os
import sys
import uuid

import grpc
from updraft.hris.v1 import hris_pb2

import follow
import roster
import upload
from connection import ClientCredentials, Connection, FixedToken, reason

MODES = {"full": hris_pb2.SYNC_MODE_FULL_SNAPSHOT, "delta": hris_pb2.SYNC_MODE_DELTA}
# The names of runs, which follow from what is sent.
NAMESPACE = uuid.UUID("6f0c6ac5-8d1b-5b7e-9d53-6c1b0d0a7e11")
COMMITTED, FAILED, NOT_COMMITTED = 0, 1, 3


def main():
    args = arguments().parse_args()
    try:
        return asyncio.run(args.command(args))
    except grpc.aio.AioRpcError as error:
        print(f"{error.code().name} {reason(error)}: {error.details()}", file=sys.stderr)
    except (roster.BadExport, OSError) as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        pass
    return FAILED


async def sync(args):
    """Sends an export as one run, and says what became of it."""
    # The time of the export orders it among all others: an older file never overwrites a newer one.
    version = os.stat(args.export).st_mtime_ns // 1_000_000
    # The same export is the same run, so that a client that died takes up the run it left.
    request_id = uuid.uuid4() if args.again else uuid.uuid5(NAMESPACE, f"{args.source} {args.mode} {args.dry_run} {version}")
    connection = connect(args)
    try:
        run = await upload.Run.open(connection, args.source, MODES[args.mode], args.dry_run, str(request_id))
        done = await run.get()
        if done.state == hris_pb2.SyncRun.STATE_OPEN:
            try:
                sent = await run.upload(roster.workers(args.export, version))
            except roster.BadExport:
                # What was answered stands. Nobody becomes a leaver, and the next export is not kept waiting.
                await run.drop()
                raise
            done = await run.finish(sent)
        await report(run, done)
    finally:
        await connection.close()
    return COMMITTED if done.state == hris_pb2.SyncRun.STATE_COMMITTED else NOT_COMMITTED


async def report(run, done):
    """Says how a run ended: its counters, then everything that somebody should look at."""
    state = hris_pb2.SyncRun.State.Name(done.state).removeprefix("STATE_").lower()
    print(f"run {done.sync_run_id}: {state}" + (", nothing was changed (dry run)" if done.dry_run else ""))
    if done.detail:
        print(done.detail)
    counts = [(field.name, getattr(done.stats, field.name)) for field in done.stats.DESCRIPTOR.fields]
    print(", ".join(f"{count} {name}" for name, count in counts if count or name == "received"))
    async for issue in run.issues():
        about = " ".join(filter(None, [issue.external_id or "the run", issue.issue.field]))
        print(f"{'refused' if issue.refused else 'noticed'}: {about}: {issue.issue.reason}: {issue.issue.message}")


async def watch(args):
    """Prints a line of JSON for everything that happens, until it is interrupted."""
    connection = connect(args)
    try:
        await follow.follow(connection, args.source, follow.TokenFile(args.token_file), show)
    finally:
        await connection.close()


def show(response):
    """What to do with an event: here it is printed; in earnest, update the HR system."""
    kind = response.WhichOneof("event")
    line = {"event": kind}
    if kind == "changed":
        changed = response.changed
        line |= {"externalId": changed.external_id, "participating": changed.participating}
        line |= {"since": changed.change_time.ToJsonString()}
    elif kind == "removed":
        line["externalId"] = response.removed.external_id
    print(json.dumps(line), flush=True)


async def drop(args):
    """Gives a run up that nobody is at any more."""
    connection = connect(args)
    try:
        await upload.Run(connection, args.run).drop()
    finally:
        await connection.close()
    return COMMITTED


def connect(args):
    tokens = None
    if args.client_id:
        tokens = ClientCredentials(args.token_url, args.client_id, os.environ["UPDRAFT_CLIENT_SECRET"])
    elif "UPDRAFT_TOKEN" in os.environ:
        tokens = FixedToken(os.environ["UPDRAFT_TOKEN"])
    return Connection(args.target, tokens, args.ca, args.certificate, args.key)


def arguments():
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--target", default="127.0.0.1:8090", help="address of gRPC")
    common.add_argument("--token-url", default="http://127.0.0.1:8080/oauth2/token", help="where client credentials are exchanged")
    common.add_argument("--client-id", help="client of the source; its secret is taken from UPDRAFT_CLIENT_SECRET")
    common.add_argument("--ca", help="certificate of who signed the server's, PEM; turns TLS on")
    common.add_argument("--certificate", help="client certificate for mutual TLS, PEM")
    common.add_argument("--key", help="private key of the client certificate, PEM")
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    syncing = commands.add_parser("sync", parents=[common], help="send an export", description=sync.__doc__)
    syncing.add_argument("export", help="CSV file in UTF-8")
    syncing.add_argument("--source", required=True, help="the source that the credential belongs to")
    syncing.add_argument("--mode", choices=MODES, default="full", help="full: who is not in the file has left; delta: only who is in it is touched")
    syncing.add_argument("--dry-run", action="store_true", help="say what would happen, and change nothing")
    syncing.add_argument("--again", action="store_true", help="a new run, though this export was sent before")
    syncing.set_defaults(command=sync)

    watching = commands.add_parser("watch", parents=[common], help="follow the programme", description=watch.__doc__)
    watching.add_argument("--source", required=True, help="the source that the credential belongs to")
    watching.add_argument("--token-file", required=True, help="where the place in the feed is kept")
    watching.set_defaults(command=watch)

    dropping = commands.add_parser("drop", parents=[common], help="give a run up", description=drop.__doc__)
    dropping.add_argument("run", help="identifier of the run")
    dropping.set_defaults(command=drop)
    return parser


if __name__ == "__main__":
    sys.exit(main())
