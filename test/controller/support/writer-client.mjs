// A client that writes all the time over several addresses, as a process of its own, so that its times are not those of the
// test. Arguments: user, then host:port or directory:port of every server. A line per acknowledged row: number and time in ms.
// On SIGTERM it ends.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const [user, ...places] = process.argv.slice(2);
const addresses = places.map((place) => {
  const at = place.lastIndexOf(':');
  return { host: place.slice(0, at), port: Number(place.slice(at + 1)) };
});
let next = 0;

/** What target_session_attrs=read-write does: asks one after the other for one that is not in recovery. */
async function connect() {
  for (const { host, port } of addresses) {
    const options = {
      host,
      port,
      user,
      database: 'postgres',
      connectionTimeoutMillis: 1000,
      query_timeout: 20_000,
    };
    const client = new pg.Client(options);
    client.on('error', () => undefined);
    try {
      await client.connect();
      const answer = await client.query('select pg_is_in_recovery() as it');
      if (answer.rows[0].it === false) return client;
      await client.end();
    } catch (error) {
      process.stderr.write(`${error.message}\n`);
    }
  }
  await sleep(5);
  return null;
}

for (;;) {
  const client = await connect();
  try {
    while (client) {
      next += 1;
      await client.query('insert into written values ($1)', [next]);
      process.stdout.write(`${next} ${Math.round(performance.timeOrigin + performance.now())}\n`);
      await sleep(2);
    }
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    // The server may be gone; whoever waits for its farewell waits for ever.
    client.end().catch(() => undefined);
  }
}
