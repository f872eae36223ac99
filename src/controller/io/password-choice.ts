/**
 * The password file of a standby as long as the replication password is renewed. libpq takes the first line that fits and tries no other
 * one, so whoever has lost its connection between the change of the role and that of its file would be locked out: here the value that
 * the primary takes is put into the file (ADR 16). In: how the instance is. Out: the file. It logs in, and asks nothing.
 */
import { lstatSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Turn } from '../../base/renewal.ts';
import { Secret } from '../../base/secret.ts';
import { effectiveConf } from '../../postgres/conf-file.ts';
import { parseConninfo } from '../../postgres/conninfo.ts';
import { answerOf, type PgpassEntry, parsePgpassLine, pgpassLine } from '../../postgres/pgpass.ts';
import type { InstanceReport } from '../core/view.ts';
import { readIfThere, writeAtomic } from './whole-file.ts';

/** How a standby reaches its primary. */
export interface Upstream {
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/** refused: the server knows another password. silent: it cannot be asked. */
export type LoginAnswer = 'in' | 'refused' | 'silent';

export interface PasswordPlace {
  readonly dataDir: string;
  /** Of the user that the instance runs as. */
  readonly home: string;
  readonly turn: Turn;
  logIn(upstream: Upstream, password: Secret): Promise<LoginAnswer>;
}

const everyMs = 1000;

/** Nobody has more servers than fit into it. */
const largest = 1_000_000;

export class PasswordChoice {
  readonly #place: PasswordPlace;
  #busy = false;
  #ended = false;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(place: PasswordPlace) {
    this.#place = place;
  }

  /** The renewal is over, or another one: a look that is still under way changes nothing any more. */
  end(): void {
    this.#ended = true;
  }

  /** Looks whether a standby without a receiver is refused for its password; at most once a second, and once at a time. */
  async look({ role, receiver }: Pick<InstanceReport, 'role' | 'receiver'>): Promise<void> {
    const now = performance.now();
    if (role !== 'standby' || receiver !== null || this.#busy || now - this.#lookedAt < everyMs) return;
    this.#busy = true;
    this.#lookedAt = now;
    try {
      await this.#choose();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      process.stderr.write(
        `the password file could not be given the other password of the renewal: ${why}\n`,
      );
    } finally {
      this.#busy = false;
    }
  }

  async #choose(): Promise<void> {
    const { dataDir, home, turn } = this.#place;
    const found = upstreamOf(dataDir);
    if (!found) return;
    const path = found.passfile ?? join(home, '.pgpass');
    const text = readOwn(path);
    const used = text === undefined ? undefined : sideOf(turn, passwordFor(text, found.upstream));
    if (text === undefined || used === undefined) return;
    const other = used === 'from' ? 'to' : 'from';
    if ((await this.#place.logIn(found.upstream, turn[used])) !== 'refused') return;
    if ((await this.#place.logIn(found.upstream, turn[other])) !== 'in') return;
    const next = withPassword(text, found.upstream, turn[other]);
    const still = (): boolean => !this.#ended && readOwn(path) === text;
    writeAtomic(dirname(path), basename(path), next, { encoding, still });
    process.stderr.write(`${path} has the other password of the renewal now, which the primary takes\n`);
  }
}

/** Each byte is a character, so that what others have written comes back as it was. */
const encoding = 'latin1';
const inBytes = (secret: Secret): Secret => new Secret(Buffer.from(secret.reveal()).toString(encoding));

/** A link, a file of somebody else, and what is no plain file, which may never end, are not for this controller to replace. */
function readOwn(path: string): string | undefined {
  const facts = lstatSync(path, { throwIfNoEntry: false });
  const isOwn = facts?.isFile() && facts.uid === process.getuid?.() && facts.size <= largest;
  return isOwn ? readIfThere(path, encoding) : undefined;
}

/** The password file of an instance that follows somebody: that of its user, where its settings name no other one. */
export const passwordFile = ({ dataDir, home }: Pick<PasswordPlace, 'dataDir' | 'home'>): string =>
  upstreamOf(dataDir)?.passfile ?? join(home, '.pgpass');

/** Of primary_conninfo; postgresql.auto.conf is read last by PostgreSQL, so it wins. */
function upstreamOf(
  dataDir: string,
): { readonly upstream: Upstream; readonly passfile?: string } | undefined {
  const texts = ['postgresql.auto.conf', 'postgresql.conf'].map(
    (name) => readIfThere(join(dataDir, name)) ?? '',
  );
  const conninfo = texts
    .map((text) => effectiveConf(text).get('primary_conninfo')?.value)
    .find((value) => value);
  const { host, port, user, passfile } = parseConninfo(conninfo ?? '');
  if (!host || !user) return undefined;
  return { upstream: { host, port: Number(port ?? 5432), user }, ...(passfile ? { passfile } : {}) };
}

const isFor = (entry: PgpassEntry, { host, port, user }: Upstream): boolean =>
  entry.database === 'replication' &&
  entry.user === user &&
  entry.host === host &&
  entry.port === String(port);

/** That of the line which PostgreSQL takes for this server. */
function passwordFor(text: string, { host, port, user }: Upstream): Secret | undefined {
  const asked = { host, port: String(port), database: 'replication', user };
  const [first] = text.split('\n').flatMap((line) => answerOf(line, asked) ?? []);
  return first;
}

const sideOf = ({ from, to }: Turn, used: Secret | undefined): keyof Turn | undefined =>
  used?.equals(inBytes(from)) ? 'from' : used?.equals(inBytes(to)) ? 'to' : undefined;

/** The line of the server that has taken it, and no other one: the same value may be right for a server of another cluster. */
export function withPassword(text: string, upstream: Upstream, password: Secret): string {
  const change = (line: string): string => {
    const entry = parsePgpassLine(line);
    return entry && isFor(entry, upstream) ? pgpassLine({ ...entry, password: inBytes(password) }) : line;
  };
  return text.split('\n').map(change).join('\n');
}
