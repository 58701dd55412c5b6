"""eventsourcing: its recorder for appends and reads, and its subscription, which listens. The works are in src/main.rs.

One process of Python uses one core: the clients are threads in up to four processes. `--functions` turns on its setting
POSTGRES_ENABLE_DB_FUNCTIONS, with which it appends by a function in the database and without locking the table.
"""

import json
import multiprocessing
import os
import sys
import threading
import time
from uuid import NAMESPACE_URL, uuid4

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

STREAM_EVENTS = 10
SEED_EVENTS = 1000
PAGE = 1000
PROCESSES_MAX = 4
PATIENCE_SECONDS = 3
STATE = json.dumps({"tandemId": str(NAMESPACE_URL), "text": ("lorem ipsum " * 12).strip()}).encode()


def recorder(functions: bool, connections: int) -> PostgresApplicationRecorder:
    datastore = PostgresDatastore(
        dbname=os.environ["PGDATABASE"],
        host=os.environ["PGHOST"],
        port=5432,
        user=os.environ["PGUSER"],
        password="",
        pool_size=connections,
        max_overflow=connections,
        enable_db_functions=functions,
    )
    made = PostgresApplicationRecorder(datastore)
    datastore.register_type_adapters()
    return made


def prepare(functions: bool, events: int) -> dict:
    made = recorder(functions, 1)
    made.create_table()
    for _ in range(0, events, SEED_EVENTS):
        stream = uuid4()
        made.insert_events([StoredEvent(stream, version, "Happened", STATE) for version in range(SEED_EVENTS)])
    return {}


def append(functions: bool, clients: int, seconds: int) -> dict:
    writers = Writers(functions, clients)
    begun = time.perf_counter()
    events = writers.write(seconds)
    return {"events": events, "seconds": time.perf_counter() - begun}


class Writers:
    """The processes are there, and connected, before the time begins."""

    def __init__(self, functions: bool, clients: int) -> None:
        count = min(PROCESSES_MAX, clients)
        spawn = multiprocessing.get_context("spawn")
        self.pipes = []
        for nr in range(count):
            here, there = spawn.Pipe()
            share = (clients + count - 1 - nr) // count
            spawn.Process(target=write, args=(functions, share, there), daemon=True).start()
            self.pipes.append(here)
        for pipe in self.pipes:
            pipe.recv()

    def write(self, seconds: int) -> int:
        for pipe in self.pipes:
            pipe.send(seconds)
        return sum(pipe.recv() for pipe in self.pipes)


def write(functions: bool, clients: int, pipe) -> None:
    made = recorder(functions, clients)
    made.max_notification_id()
    pipe.send("ready")
    until = time.perf_counter() + pipe.recv()
    counts = [0] * clients

    def client(nr: int) -> None:
        stream = uuid4()
        while time.perf_counter() < until:
            version = counts[nr] % STREAM_EVENTS
            if version == 0:
                stream = uuid4()
            made.insert_events([StoredEvent(stream, version, "Happened", STATE)])
            counts[nr] += 1

    threads = [threading.Thread(target=client, args=(nr,)) for nr in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pipe.send(sum(counts))


def catch_up(functions: bool, events: int) -> dict:
    made = recorder(functions, 1)
    begun = time.perf_counter()
    read, last = 0, 0
    while read < events:
        page = made.select_notifications(last, PAGE, inclusive_of_start=False)
        for notification in page:
            json.loads(notification.state)
        read += len(page)
        last = page[-1].id
    return {"events": read, "seconds": time.perf_counter() - begun}


def race(functions: bool, clients: int, seconds: int) -> dict:
    made = recorder(functions, 4)
    writers = Writers(functions, clients)
    seen: list[tuple[str, int]] = []
    with made.subscribe(gt=0) as subscription:

        def follow() -> None:
            for notification in subscription:
                seen.append((str(notification.originator_id), notification.originator_version))

        follower = threading.Thread(target=follow, daemon=True)
        follower.start()
        written = writers.write(seconds)
        count, found = len(seen), time.perf_counter()
        while count < written and time.perf_counter() - found < PATIENCE_SECONDS:
            time.sleep(0.02)
            if len(seen) > count:
                count, found = len(seen), time.perf_counter()
    follower.join(PATIENCE_SECONDS)
    return compare(seen, stored(made))


def stored(made: PostgresApplicationRecorder) -> set[tuple[str, int]]:
    with made.datastore.get_connection() as connection:
        rows = connection.execute("select originator_id::text as stream, originator_version as version from stored_events")
        return {(row["stream"], row["version"]) for row in rows}


def compare(seen: list[tuple[str, int]], there: set[tuple[str, int]]) -> dict:
    once: set[tuple[str, int]] = set()
    last: dict[str, int] = {}
    duplicated = disordered = 0
    for stream, version in seen:
        if (stream, version) in once:
            duplicated += 1
            continue
        once.add((stream, version))
        disordered += version < last.get(stream, 0)
        last[stream] = version
    return {"written": len(there), "lost": len(there - once), "duplicated": duplicated, "disordered": disordered}


def main() -> None:
    words = [word for word in sys.argv[1:] if word != "--functions"]
    works = {"prepare": prepare, "append": append, "catch-up": catch_up, "race": race}
    measured = works[words[0]]("--functions" in sys.argv, *map(int, words[1:]))
    print(json.dumps(measured), flush=True)
    # Threads of the pool would keep the process for seconds.
    os._exit(0)


if __name__ == "__main__":
    main()
