/**
 * A secret that the server quotes in its log is withheld in each language that PostgreSQL speaks on this machine: the messages are
 * those of its own catalogs. Without one, the words of a few languages are tried.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withoutSecrets } from '../../src/postgres/withheld.ts';

const canary = 'Tr0ub4dor';

/** Messages with what stands in the place of each value; what holds the secret is withheld. */
const messages: Readonly<Record<string, readonly string[]>> = {
  'The failed archive command was: %s': [`A=${canary} cp pg_wal/000000010000000000000001 ${canary}`],
  'authentication option not in name=value format: %s': [`${canary} x`],
  'syntax error in file "%s" line %u, near token "%s"': ['/data/postgresql.conf', '3', `${canary} x`],
  'invalid value for parameter "%s": "%s"': ['vault.token', `${canary} x`],
};

/** Of a catalog of gettext: translations by their messages. */
function catalog(path: string): ReadonlyMap<string, string> {
  const bytes = readFileSync(path);
  const word = (at: number): number => bytes.readUInt32LE(at);
  const text = (at: number): string => bytes.toString('utf8', word(at + 4), word(at + 4) + word(at));
  const [count, from, to] = [8, 12, 16].map(word);
  return new Map(
    Array.from({ length: count ?? 0 }, (_, index) => [
      text((from ?? 0) + 8 * index),
      text((to ?? 0) + 8 * index),
    ]),
  );
}

function line(message: string, values: readonly string[]): string {
  const left = [...values];
  return message.replace(/%(?:\d\$)?[su]/g, () => left.shift() ?? '');
}

const few: Readonly<Record<string, string>> = {
  de: 'Der fehlgeschlagene Archivbefehl war: %s',
  fr: "La commande d'archivage qui a échoué était : %s",
  es: 'La orden fallida era: «%s»',
  pt: 'O comando de arquivamento que falhou foi: %s',
};

describe('a secret in the log of a server that speaks', () => {
  it.each(Object.entries(few))('%s', (_, message) => {
    const [values = []] = Object.values(messages);
    expect(withoutSecrets(`DETAIL:  ${line(message, values)}`)).not.toContain(canary);
  });

  const locales = '/usr/share/locale';
  const catalogs = (existsSync(locales) ? readdirSync(locales) : [])
    .map((language) => join(locales, language, 'LC_MESSAGES'))
    .filter((directory) => existsSync(directory))
    .flatMap((directory) => readdirSync(directory).map((name) => join(directory, name)))
    .filter((path) => /\/postgres-\d+\.mo$/.test(path));
  it.each(catalogs)('the language of %s', (path) => {
    const known = catalog(path);
    const told = Object.entries(messages).map(([message, values]) =>
      withoutSecrets(`2026 [1] LOG:  ${line(known.get(message) ?? message, values)}`),
    );
    expect(told.filter((text) => text.includes(canary))).toEqual([]);
    expect(told.every((text) => text.includes('***') && text.startsWith('2026 [1] LOG:'))).toBe(true);
  });

  it('nothing else of it is', () => {
    for (const text of [
      'FATAL:  could not receive data from WAL stream: ERROR:  requested WAL segment 000000010000000000000001 has already been removed',
      'FATAL:  could not open file "pg_wal/000000010000000000000001": No such file or directory',
      'ungültiger Wert für Parameter »work_mem«: »8 bananas«',
      'FATAL:  data directory "/data" has wrong ownership',
      'user=postgres,db=app LOG:  checkpoint starting: time',
    ])
      expect(withoutSecrets(text)).toBe(text);
  });
});
