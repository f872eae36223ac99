// The demo: a primary and its synchronous standby on this one machine, over the local connection. No hosts, no systemd.
//   npm run demo               makes it (or finds it made), shows it, writes a row and reads it on the other side
//   npm run demo -- --remove   takes it away again, with everything that it made
// As root on Debian it installs PostgreSQL if there is none; as an ordinary user it uses what is installed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installedVersion, installObstacle, installPostgres } from '../scripts/postgres.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pgduet = join(root, 'dist', 'pgduet.js');
const isRoot = process.getuid?.() === 0;
const home =
  process.env.PGDUET_DEMO_DIR || (isRoot ? '/var/lib/pgduet-demo' : join(stateHome(), 'pgduet-demo'));
const owner = isRoot ? 'postgres' : userInfo().username;
const inventory = join(home, 'inventory.yml');
const cluster = 'demo';

if (process.argv.includes('--remove')) remove();
else await make();

async function make() {
  const version = findPostgres();
  if (!existsSync(inventory)) await writeInventory(version);
  else say(`Using the demo that is there: ${inventory}`);
  say(`\n$ pgduet provision -i ${inventory} --yes`);
  run(['provision', '-i', inventory, '--yes']);
  say(`\n$ pgduet status -i ${inventory}`);
  run(['status', '-i', inventory]);
  const [server1, server2] = servers();
  const word = `written at ${new Date().toISOString()}`;
  say('\nA row is written on server1 and read on server2:');
  psql(server1, 'CREATE TABLE IF NOT EXISTS demo (id bigserial PRIMARY KEY, word text)');
  psql(server1, `INSERT INTO demo (word) VALUES ('${word}')`);
  const read = readBack(server2, `SELECT word FROM demo WHERE word = '${word}'`);
  if (read !== word) fail(`The row did not arrive on server2; it answered '${read}'.`);
  say(`  server1 wrote: ${word}\n  server2 reads: ${read}`);
  say(`
Look further:
  node ${pgduet} status -i ${inventory} --watch
  node ${pgduet} check -i ${inventory}
  ${asOwnerText()}${home}/server1/mc/mc_ctl status -M ${home}/server1/mc
  ${asOwnerText()}${server1.bin}/psql -h ${home}/run -p ${server1.port} postgres
Remove it:
  npm run demo -- --remove`);
}

/** Synchronous replication waits until the standby has written the WAL, not until it has replayed it. */
function readBack(server, query) {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const text = psql(server, query);
    if (text !== '') return text;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
  return '';
}

function servers() {
  const text = readFileSync(inventory, 'utf8');
  const bin = `/usr/lib/postgresql/${/version: (\d+)/.exec(text)[1]}/bin`;
  const ports = [...text.matchAll(/postgres: \{ port: (\d+)/g)].map((match) => Number(match[1]));
  return ports.map((port) => ({ port, bin }));
}

function psql(server, sql) {
  const result = asOwner([
    `${server.bin}/psql`,
    '-XAtqw',
    '-v',
    'ON_ERROR_STOP=1',
    '-h',
    `${home}/run`,
    '-p',
    String(server.port),
    '-d',
    'postgres',
    '-c',
    sql,
  ]);
  if (result.status !== 0) fail(`psql on port ${server.port} failed:\n${result.stderr}`);
  return result.stdout.trim();
}

function asOwner(command) {
  const [program, ...args] = isRoot ? ['runuser', '-u', owner, '--', ...command] : command;
  return spawnSync(program, args, { encoding: 'utf8', cwd: '/' });
}

function asOwnerText() {
  return isRoot ? `runuser -u ${owner} -- ` : '';
}

function run(args) {
  const result = spawnSync(process.execPath, [pgduet, ...args], { stdio: 'inherit' });
  if (result.status !== 0)
    fail(
      `pgduet ${args[0]} ended with status ${result.status}; the message above says why. Run 'npm run demo' again once it is mended.`,
    );
}

function findPostgres() {
  const found = installedVersion();
  if (found !== undefined) return found;
  const obstacle = installObstacle();
  if (obstacle) fail(`PostgreSQL is not installed (looked in /usr/lib/postgresql), and ${obstacle}`);
  say('PostgreSQL is not installed: installing it (apt-get install postgresql) …');
  return installPostgres() ?? fail('apt-get could not install PostgreSQL; its messages above say why.');
}

async function writeInventory(version) {
  const ports = [];
  for (let port = 27500; ports.length < 4; port += 1) if (await isFree(port)) ports.push(port);
  mkdirSync(home, { recursive: true, mode: 0o755 });
  writeFileSync(
    inventory,
    `# The inventory of the demo: two servers on this machine, which differ in their ports and directories.
cluster: ${cluster}
postgres:
  version: ${version}
  data_dir: ${home}/server1/data
  owner: ${owner}
  socket_dir: ${home}/run
multiplexing: { management_dir: ${home}/server1/mc }
hosts:
  server1:
    role: primary
    connection: local
    service_manager: none
    postgres: { port: ${ports[0]}, data_dir: ${home}/server1/data, passfile: ${home}/server1/mc/pgpass }
    multiplexing: { port: ${ports[2]}, management_dir: ${home}/server1/mc }
  server2:
    role: standby
    connection: local
    service_manager: none
    postgres: { port: ${ports[1]}, data_dir: ${home}/server2/data, passfile: ${home}/server2/mc/pgpass }
    multiplexing: { port: ${ports[3]}, management_dir: ${home}/server2/mc }
`,
  );
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

function remove() {
  if (!existsSync(inventory)) {
    say(`There is no demo in ${home}.`);
    return;
  }
  for (const id of ['server2', 'server1']) {
    const mc = `${home}/${id}/mc`;
    if (!existsSync(`${mc}/mc_ctl`) || !existsSync(`${mc}/${id}.pid`)) continue;
    const stopped = asOwner([`${mc}/mc_ctl`, 'stop', '-M', mc]);
    if (stopped.status !== 0) say(`${id}: ${stopped.stderr.trim()}`);
  }
  for (const id of ['server1', 'server2']) {
    const pidFile = `${home}/${id}/data/postmaster.pid`;
    const pid = existsSync(pidFile) ? Number.parseInt(readFileSync(pidFile, 'utf8'), 10) : 0;
    if (pid > 0 && existsSync(`/proc/${pid}`))
      fail(
        `The server of ${id} still runs (process ${pid}); nothing was removed. Stop it, then run the same command again.`,
      );
  }
  rmSync(home, { recursive: true, force: true });
  for (const dir of ['/run/lock', '/tmp'])
    for (const id of ['server1', 'server2']) rmSync(`${dir}/pgduet-${cluster}.${id}.lock`, { force: true });
  say(`The demo is gone: ${home} is removed. The PostgreSQL packages stay installed.`);
}

function stateHome() {
  return process.env.XDG_STATE_HOME || join(homedir(), '.local/state');
}

function say(text) {
  console.log(text);
}

function fail(text) {
  console.error(text);
  process.exit(1);
}
