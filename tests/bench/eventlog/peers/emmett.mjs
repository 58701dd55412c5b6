// emmett: appends with the expected version, and its consumer, which polls. The works are those of src/main.rs.
//
// One process of Node uses one core: the clients are spread over four.

import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import path from 'node:path';

// The packages lie in the cache, not beside this program.
const load = createRequire(path.join(process.env.UPDRAFT_PEERS, 'package.json'));
const { getPostgreSQLEventStore } = load('@event-driven-io/emmett-postgresql');
const pg = load('pg');

const STREAM_EVENTS = 10;
const SEED_EVENTS = 500;
const PAGE = 1000;
const PROCESSES_MAX = 4;
const PATIENCE_MS = 4000;

const { PGHOST, PGUSER, PGDATABASE } = process.env;
const url = `postgresql://${PGUSER}@/${PGDATABASE}?host=${encodeURIComponent(PGHOST)}`;
const happened = () => ({
  type: 'Happened',
  data: { tandemId: '00000000-0000-0000-0000-000000000000', text: 'lorem ipsum '.repeat(12).trim() },
});
const rate = (events, begun) => ({ events, seconds: (performance.now() - begun) / 1000 });

const works = { prepare, append, 'catch-up': catchUp, race, write };
const [work, ...numbers] = process.argv.slice(2);
const measured = await works[work](...numbers.map(Number));
if (measured) console.log(JSON.stringify(measured));
process.exit(0);

async function prepare(events) {
  const store = getPostgreSQLEventStore(url);
  await store.schema.migrate();
  for (let seeded = 0; seeded < events; seeded += SEED_EVENTS) {
    const batch = Array.from({ length: SEED_EVENTS }, happened);
    await store.appendToStream(`tandem-${randomUUID()}`, batch, { expectedStreamVersion: 0n });
  }
  return {};
}

async function append(clients, seconds) {
  const writers = await startWriters(clients);
  const begun = performance.now();
  return rate(await writers.write(seconds), begun);
}

// The processes are there, and connected, before the time begins.
async function startWriters(clients) {
  const processes = Math.min(PROCESSES_MAX, clients);
  const children = Array.from({ length: processes }, (_, nr) =>
    fork(process.argv[1], ['write', Math.ceil((clients - nr) / processes)]),
  );
  const answer = (child) =>
    new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', () => reject(new Error('a writer of emmett has ended')));
    });
  await Promise.all(children.map(answer));
  const write = async (seconds) => {
    const answers = Promise.all(children.map(answer));
    for (const child of children) child.send({ seconds });
    return (await answers).reduce((sum, { events }) => sum + events, 0);
  };
  return { write };
}

// One of the processes: its clients share a store and its pool.
async function write(clients) {
  const store = getPostgreSQLEventStore(url, { schema: { autoMigration: 'None' } });
  await Promise.all(Array.from({ length: clients }, () => store.streamExists('nowhere')));
  const asked = new Promise((resolve) => process.once('message', resolve));
  process.send({ ready: true });
  const until = performance.now() + (await asked).seconds * 1000;
  const client = async () => {
    let [events, stream] = [0, ''];
    while (performance.now() < until) {
      const version = events % STREAM_EVENTS;
      if (version === 0) stream = `tandem-${randomUUID()}`;
      await store.appendToStream(stream, [happened()], { expectedStreamVersion: BigInt(version) });
      events += 1;
    }
    return events;
  };
  const events = await Promise.all(Array.from({ length: clients }, client));
  await new Promise((resolve) => process.send({ events: events.reduce((a, b) => a + b, 0) }, resolve));
}

async function catchUp(events) {
  const store = getPostgreSQLEventStore(url, { schema: { autoMigration: 'None' } });
  const begun = performance.now();
  let read = 0;
  const consumer = store.consumer({ pulling: { batchSize: PAGE, pullingFrequencyInMs: 1 } });
  consumer.reactor({
    processorId: randomUUID(),
    eachMessage: () => (++read === events ? { type: 'STOP' } : undefined),
  });
  await consumer.start();
  return rate(read, begun);
}

async function race(clients, seconds) {
  const store = getPostgreSQLEventStore(url, { schema: { autoMigration: 'None' } });
  const pool = new pg.Pool({ connectionString: url });
  const stored = async () =>
    (await pool.query('select stream_id, stream_position::int from emt_messages')).rows.map((row) => key(row.stream_id, row.stream_position));
  const seen = [];
  let found = performance.now();
  const consumer = store.consumer({ pulling: { batchSize: PAGE, pullingFrequencyInMs: 1 } });
  consumer.reactor({
    processorId: 'race',
    eachMessage: ({ metadata }) => {
      seen.push([metadata.streamName, Number(metadata.streamPosition)]);
      found = performance.now();
    },
  });
  const consuming = consumer.start();
  await (await startWriters(clients)).write(seconds);
  const written = (await stored()).length;
  found = performance.now();
  while (seen.length < written && performance.now() - found < PATIENCE_MS)
    await new Promise((resolve) => setTimeout(resolve, 20));
  consuming.catch(() => {});
  return compare(seen, await stored());
}

function key(stream, version) {
  return `${stream}/${version}`;
}

function compare(seen, stored) {
  const once = new Set();
  const last = new Map();
  let [duplicated, disordered] = [0, 0];
  for (const [stream, version] of seen) {
    if (once.has(key(stream, version))) {
      duplicated += 1;
      continue;
    }
    once.add(key(stream, version));
    if (version < (last.get(stream) ?? 0)) disordered += 1;
    last.set(stream, version);
  }
  const lost = stored.filter((event) => !once.has(event)).length;
  return { written: stored.length, lost, duplicated, disordered };
}
