/** The password file of a standby that is refused while the password is renewed: the value that the primary takes, and not one byte of others. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { PasswordChoice, withPassword } from '../../src/controller/io/password-choice.ts';

const from = 'old:one\\';
const to = 'new';
const turn = { from: new Secret(from), to: new Secret(to) };
const written: Readonly<Record<string, string>> = { [from]: 'old\\:one\\\\', [to]: 'new', other: 'other' };

/** A password of a person may be of any bytes. */
const encoding = 'latin1';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'mc-choice-'));
  mkdirSync(join(home, 'data'));
  conninfo('host=192.0.2.1 port=27500 user=repl application_name=server2');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const conninfo = (text: string): void =>
  writeFileSync(
    join(home, 'data/postgresql.conf'),
    `#primary_conninfo = 'x'\nprimary_conninfo = '${text}'\n`,
  );

const pgpass = (): string => join(home, '.pgpass');

/** The primary, and lines of others before and behind it: another server with the same value may be one of another cluster. */
const text = (password: string): string =>
  [
    '# mine',
    '192.0.2.7:5432:app:joe:M\u00fcller',
    '192.0.2.1:27500:postgres:repl:old\\:one\\\\',
    `192.0.2.1:27500:replication:repl:${written[password]}`,
    '192.0.2.1:27500:replication:app:new',
    'not a line',
    '192.0.2.3:27500:replication:repl:new',
    '192.0.2.4:27500:replication:repl:old\\:one\\\\',
    '192.0.2.9:27500:replication:repl:somebody',
    '',
  ].join('\n');

function put(password: string): void {
  writeFileSync(pgpass(), text(password), encoding);
  chmodSync(pgpass(), 0o600);
}

/** A standby; `taken` is the password of its primary, null where that does not answer. */
function choice(taken: string | null, during: () => void = () => undefined) {
  const tried: string[] = [];
  const place = { dataDir: join(home, 'data'), home, turn };
  const made = new PasswordChoice({
    ...place,
    logIn: async ({ host, port, user }, password) => {
      tried.push(`${user}@${host}:${port} ${password.reveal()}`);
      if (tried.length === 2) during();
      if (taken === null) return 'silent';
      return password.reveal() === taken ? 'in' : 'refused';
    },
  });
  return {
    tried,
    end: () => made.end(),
    look: (receiver: string | null = null, role: 'primary' | 'standby' = 'standby') =>
      made.look({ role, receiver }),
  };
}

describe('the password file of a standby without a receiver', () => {
  it.each([
    // What stands there, what the primary takes, what stands there afterwards, and how often a login was tried.
    [from, from, from, 1],
    [from, to, to, 2],
    // A failover in which the change of the role was lost: the file is ahead of the new primary.
    [to, from, from, 2],
    [to, to, to, 1],
    [from, 'a third one', from, 2],
    [to, 'a third one', to, 2],
    [from, null, from, 1],
    [to, null, to, 1],
    ['other', to, 'other', 0],
    ['other', from, 'other', 0],
  ])('with %s, where the primary takes %s, holds %s', async (before, taken, after, tries) => {
    put(before);
    const { look, tried } = choice(taken);
    await look();
    expect(readFileSync(pgpass(), encoding)).toBe(text(after));
    expect(tried).toHaveLength(tries);
    expect(tried.every((it) => it.startsWith('repl@192.0.2.1:27500 '))).toBe(true);
    expect(statSync(pgpass()).mode & 0o777).toBe(0o600);
    expect(readdirSync(home).sort()).toEqual(['.pgpass', 'data']);
  });

  it.each([
    ['streaming', 'standby'],
    ['catchup', 'standby'],
    [null, 'primary'],
  ] as const)('is left alone where the receiver is %s on a %s', async (receiver, role) => {
    put(from);
    const { look, tried } = choice(to);
    await look(receiver, role);
    expect([readFileSync(pgpass(), encoding), tried]).toEqual([text(from), []]);
  });

  it('is not written over what somebody else writes meanwhile', async () => {
    put(from);
    const { look } = choice(to, () => writeFileSync(pgpass(), `${text(from)}192.0.2.1:1:a:b:c\n`, encoding));
    await look();
    expect(readFileSync(pgpass(), encoding)).toBe(`${text(from)}192.0.2.1:1:a:b:c\n`);
    expect(readdirSync(home).sort()).toEqual(['.pgpass', 'data']);
  });

  it('is not a link that is followed', async () => {
    writeFileSync(join(home, 'elsewhere'), text(from), { encoding, mode: 0o600 });
    symlinkSync(join(home, 'elsewhere'), pgpass());
    const { look, tried } = choice(to);
    await look();
    expect(readFileSync(join(home, 'elsewhere'), encoding)).toBe(text(from));
    expect([lstatSync(pgpass()).isSymbolicLink(), tried]).toEqual([true, []]);
  });

  it('is not made where there is none, nor without an upstream', async () => {
    const { look, tried } = choice(to);
    await look();
    put(from);
    conninfo('');
    await choice(to).look();
    expect([readFileSync(pgpass(), encoding), tried]).toEqual([text(from), []]);
    rmSync(pgpass());
    expect(existsSync(pgpass())).toBe(false);
  });

  it('is the one that primary_conninfo names', async () => {
    put(from);
    writeFileSync(join(home, 'own'), text(from), { encoding, mode: 0o600 });
    conninfo(`host=192.0.2.1 port=27500 user=repl passfile=${join(home, 'own')}`);
    await choice(to).look();
    expect(readFileSync(join(home, 'own'), encoding)).toBe(text(to));
    expect(readFileSync(pgpass(), encoding)).toBe(text(from));
  });

  it('is not written when the renewal has ended meanwhile', async () => {
    put(from);
    const { look, end } = choice(to, () => end());
    await look();
    expect(readFileSync(pgpass(), encoding)).toBe(text(from));
  });

  it('is not read where it is no plain file', async () => {
    execFileSync('mkfifo', ['-m', '600', pgpass()]);
    const { look, tried } = choice(to);
    await look();
    expect(tried).toEqual([]);
  });

  it('is looked at by one login at a time', async () => {
    put(from);
    const { look, tried } = choice(null);
    await Promise.all([look(), look(), look()]);
    await look();
    expect(tried).toHaveLength(1);
  });
});

describe('withPassword', () => {
  const upstream = { host: '192.0.2.1', port: 27500, user: 'repl' };
  it('changes the line of this server for this user', () => {
    expect(withPassword(text(from), upstream, turn.to)).toBe(text(to));
    expect(withPassword(text(to), upstream, turn.from)).toBe(text(from));
    expect(withPassword(text(from), { ...upstream, user: 'nobody' }, turn.to)).toBe(text(from));
    expect(withPassword(text(from), { ...upstream, port: 5432 }, turn.to)).toBe(text(from));
  });
});
