/**
 * No secret is seen anywhere but in its own 0600 file: not in the arguments or environment of any process while pgduet
 * runs, not in logs, journals, histories, temporary files, nor in what pgduet says. One cluster is made with secrets of
 * the inventory, another with generated ones. Their texts are unique, so that finding one anywhere is a leak.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Host, Lab } from '../harness/lab.ts';
import { run, text } from '../harness/run.ts';
import { fileText, serverOf } from '../support/instance.ts';
import { env, inventory, managementDir } from '../support/inventory.ts';
import { expectMultiplexed } from '../support/multiplexed.ts';
import { built, type Pgduet, pgduet, type Said } from '../support/pgduet.ts';
import { type ProcessText, watchProcesses } from '../support/process-watch.ts';

const canary = (what: string): string => `canary-${what}-${randomBytes(9).toString('hex')}`;

interface Found {
  readonly path: string;
  readonly secret: string;
}

/** What grep -o prints: path, colon, the text that was found; each pair once. */
function readFound(output: string): Found[] {
  const lines = [...new Set(output.split('\n').filter((line) => line !== ''))];
  return lines.map((line) => {
    const path = line.slice(0, line.indexOf(':'));
    return { path, secret: line.slice(path.length + 1) };
  });
}

/** Looks for all texts at once below the places; they arrive on stdin, not as arguments. */
const search = (places: readonly string[]): string[] => [
  'grep',
  '-rsaoFH',
  '-D',
  'skip',
  '-f',
  '-',
  ...places,
];

/** Every place of a host where text could have been left. */
async function foundOn(host: Host, secrets: readonly string[]): Promise<Found[]> {
  const places = '/etc /home /root /var /tmp /run /srv /opt /dev/shm /database /mcdir /usr/local'.split(' ');
  const { stdout } = await host.sh(search(places).join(' '), { input: `${secrets.join('\n')}\n` });
  return readFound(stdout);
}

/** This machine, where pgduet ran: temporary places, the home of who ran it, and the inventory. */
async function foundHere(lab: Lab, secrets: readonly string[]): Promise<Found[]> {
  const own = ['home', 'inventory.yml', 'generated.yml'].map((name) => join(lab.dir, name));
  const [program = '', ...args] = search(['/tmp', '/var/tmp', '/run', '/dev/shm', ...own]);
  const { stdout } = await run(program, args, { input: `${secrets.join('\n')}\n` });
  return readFound(stdout);
}

describeLab('secrets of a provisioning', () => {
  let lab: Lab;
  let given: Host[];
  let generated: Host[];
  let command: Pgduet;
  let seen: readonly ProcessText[] = [];
  let said: readonly Said[] = [];
  let here: readonly Found[] = [];
  let onHosts: readonly (readonly Found[])[] = [];
  let journals: readonly string[] = [];
  const passfile = '/var/lib/postgresql/.pgpass';
  const secrets = {
    replication: canary('replication'),
    sudo: canary('sudo'),
    passphrase: canary('passphrase'),
    password: '',
    key: '',
    otherKey: '',
  };
  const environment = {
    REPLICATION: secrets.replication,
    SUDO: secrets.sudo,
    PASSPHRASE: secrets.passphrase,
  };

  beforeAll(async () => {
    built();
    lab = await Lab.open();
    const hosts = await lab.hosts(4, { names: ['given1', 'given2', 'made1', 'made2'] });
    given = hosts.slice(0, 2);
    generated = hosts.slice(2);
    command = pgduet(lab);
    for (const host of given) await host.sh('chpasswd', { input: `deploy:${secrets.sudo}\n`, check: true });
    const key = join(lab.dir, 'encrypted-key');
    copyFileSync(lab.key, key);
    chmodSync(key, 0o600);
    await text('ssh-keygen', '-q', '-p', '-P', '', '-N', secrets.passphrase, '-f', key);
    const file = inventory(lab, given, {
      ssh: {
        user: 'deploy',
        identity_file: key,
        passphrase: env('PASSPHRASE'),
        known_hosts: lab.knownHosts,
        become: 'sudo',
        become_password: env('SUDO'),
      },
      secrets: { replication_password: env('REPLICATION') },
    });
    const other = inventory(lab, generated, { name: 'generated.yml' });
    const watched = await watchProcesses(async () => [
      ...(await Promise.all([
        command(['provision', '--yes', '--diff', '--verbose', '-i', file], environment),
        command(['provision', '--yes', '--diff', '--verbose', '-i', other]),
      ])),
      ...(await Promise.all([
        command(['check', '--verbose', '-i', file], environment),
        command(['provision', '--yes', '--json', '--verbose', '-i', other]),
        command(['status', '--json', '-i', file], environment),
      ])),
    ]);
    seen = watched.seen;
    said = watched.result;
    secrets.password = /([^:\n]+)\n$/.exec(fileText(theFirst(generated), passfile))?.[1] ?? '';
    secrets.key = fileText(theFirst(given), `${managementDir}/cluster.key`).trim();
    secrets.otherKey = fileText(theFirst(generated), `${managementDir}/cluster.key`).trim();
    here = await foundHere(lab, Object.values(secrets));
    onHosts = await Promise.all(hosts.map((host) => foundOn(host, Object.values(secrets))));
    journals = await Promise.all(hosts.map((host) => host.journal()));
  });
  afterAll(() => lab?.close());

  const theFirst = (hosts: readonly Host[]): Host => {
    if (!hosts[0]) throw new Error('no hosts');
    return hosts[0];
  };

  /** Process texts, but for the environment that the person who runs pgduet gave to it. */
  const shown = (secret: string): ProcessText[] =>
    seen.filter(
      ({ kind, text }) => text.includes(secret) && !(kind === 'environ' && text.includes('REPLICATION=')),
    );

  /** Which file of each of the four hosts holds it; none where it should be nowhere. */
  function expectOnlyIn(secret: string, files: readonly (string | undefined)[]): void {
    expect(secret.length).toBeGreaterThan(20);
    expect(shown(secret)).toEqual([]);
    expect(said.map(({ all }) => all.includes(secret))).not.toContain(true);
    expect(journals.map((journal) => journal.includes(secret))).not.toContain(true);
    expect(here.filter((found) => found.secret === secret)).toEqual([]);
    const paths = onHosts.map((list) =>
      list.filter((found) => found.secret === secret).map(({ path }) => path),
    );
    expect(paths).toEqual(files.map((file) => (file === undefined ? [] : [file])));
  }

  labTest('the runs under watch worked, as a user with sudo and an encrypted key and as root', async () => {
    expect(
      said.map(({ status }) => status),
      said.map(({ all }) => all).join('\n'),
    ).toEqual([0, 0, 0, 0, 0]);
    const cluster = ([primary, standby]: Host[]) => {
      if (!primary || !standby) throw new Error('no hosts');
      return { primary: serverOf(primary), standbys: [serverOf(standby)], version: 15 };
    };
    await expectMultiplexed(cluster(given));
    await expectMultiplexed(cluster(generated));
  });

  labTest('the watch saw both ends', async () => {
    const args = seen.filter(({ kind }) => kind === 'args').map(({ text }) => text);
    expect(args.some((line) => line.includes('pgduet.js provision'))).toBe(true);
    expect(args.some((line) => /initdb .*\/database\/inst1/.test(line))).toBe(true);
    expect(args.some((line) => line.includes('pg_basebackup'))).toBe(true);
    expect(args.some((line) => line.includes('mc.cjs daemon'))).toBe(true);
    // The environment that was given is the proof that environments were read.
    expect(seen.some(({ kind, text }) => kind === 'environ' && text.includes(secrets.sudo))).toBe(true);
  });

  const nowhere = undefined;
  labTest('the given replication password stands in .pgpass alone', async () =>
    expectOnlyIn(secrets.replication, [passfile, passfile, nowhere, nowhere]),
  );
  labTest('the sudo password stands nowhere', async () =>
    expectOnlyIn(secrets.sudo, [nowhere, nowhere, nowhere, nowhere]),
  );
  labTest('the passphrase of the key stands nowhere', async () =>
    expectOnlyIn(secrets.passphrase, [nowhere, nowhere, nowhere, nowhere]),
  );
  labTest('a generated replication password stands in .pgpass alone', async () =>
    expectOnlyIn(secrets.password, [nowhere, nowhere, passfile, passfile]),
  );
  labTest('the key of the controllers stands in cluster.key alone', async () => {
    const file = `${managementDir}/cluster.key`;
    expectOnlyIn(secrets.key, [file, file, nowhere, nowhere]);
    expectOnlyIn(secrets.otherKey, [nowhere, nowhere, file, file]);
  });
});
