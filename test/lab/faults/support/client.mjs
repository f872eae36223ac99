// A client that writes all the time, one row in a commit of its own every few milliseconds, as a process of its own so that
// its times are not those of the test. In: one JSON document on standard input: hosts, port, user, password, database, who,
// everyMs, connectTimeoutMs. Out: a line "number, Unix time in ms, host" for each acknowledged row.
// It connects as a multi-host connection string with target_session_attrs=read-write and connect_timeout=2 does, or with a shorter
// timeout.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const answerTimeoutMs = 1000;
const againMs = 10;

const {
  hosts,
  port,
  user,
  password,
  database,
  who,
  everyMs,
  connectTimeoutMs = 2000,
} = JSON.parse(await firstLine());
let next = 0;

function firstLine() {
  return new Promise((resolve) => {
    let text = '';
    process.stdin.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
  });
}

const now = () => Math.round(performance.timeOrigin + performance.now());
const say = (text) => process.stderr.write(`${now()} ${text}\n`);

/** Asks one host after the other for one that takes writes. */
async function connect() {
  for (const host of hosts) {
    const client = new pg.Client({
      host,
      port,
      user,
      password,
      database,
      application_name: `client ${who}`,
      connectionTimeoutMillis: connectTimeoutMs,
      query_timeout: answerTimeoutMs,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query('select pg_is_in_recovery() as it');
      if (rows[0].it === false) return { client, host };
      // On the server itself it waits here for a promotion, instead of connecting again and again.
      while (hosts.length === 1) {
        await sleep(everyMs);
        const { rows: later } = await client.query('select pg_is_in_recovery() as it');
        if (later[0].it === false) return { client, host };
      }
      await client.end();
    } catch (error) {
      say(`${host}: ${error.message}`);
      drop(client);
    }
  }
  return null;
}

/** Whoever waits for the farewell of a server that is gone waits for ever. */
function drop(client) {
  client.connection?.stream?.destroy();
}

for (;;) {
  const session = await connect();
  if (session === null) {
    await sleep(hosts.length === 1 ? 100 : againMs);
    continue;
  }
  const { client, host } = session;
  try {
    for (;;) {
      next += 1;
      await client.query('insert into written values ($1, $2)', [who, next]);
      process.stdout.write(`${next} ${now()} ${host}\n`);
      await sleep(everyMs);
    }
  } catch (error) {
    say(`${host}: ${error.message}`);
    drop(client);
    await sleep(againMs);
  }
}
