/** Single lines of postgresql.conf that the controller takes out and puts back: every other byte stays. */
import { describe, expect, it } from 'vitest';
import { lsnValue } from '../../src/controller/core/names.ts';
import {
  includes,
  overriding,
  withEveryName,
  withListed,
  withNames,
  withoutSetting,
  withPrimary,
  withSlots,
} from '../../src/controller/io/replication-conf.ts';
import { ourHeading } from '../../src/postgres/conf-file.ts';
import { parseNames } from '../../src/postgres/standby-names.ts';

const sample = "#synchronous_standby_names = ''\t# standby servers that provide sync rep\nport = 27500\n";
const pair = `${sample}synchronous_standby_names = server2\nlog_directory = '/x'\n`;
const trio = `${sample}synchronous_standby_names = 'FIRST 1 (server2, server3)'\n`;

describe('synchronous_standby_names', () => {
  it('is commented out and comes back as it was', () => {
    const out = withNames(pair, []);
    expect(out).toEqual({ text: pair.replace('\nsynchronous', '\n#synchronous'), value: '' });
    expect(withNames(out.text, ['server2'])).toEqual({ text: pair, value: 'server2' });
    expect(withNames(pair, ['server2']).text).toBe(pair);
  });

  it('of several standbys one goes and comes back', () => {
    const one = withNames(trio, ['server3']);
    expect(one.value).toBe('server3');
    expect(one.text).toContain(
      "#synchronous_standby_names = 'FIRST 1 (server2, server3)'\nsynchronous_standby_names = 'server3' #",
    );
    expect(withNames(one.text, ['server3', 'server2'])).toEqual({
      text: trio,
      value: 'FIRST 1 (server2, server3)',
    });
    const none = withNames(one.text, []);
    expect(parseNames(none.value)).toEqual({ needed: 0, ids: [] });
    expect(withNames(none.text, ['server2']).value).toBe('server2');
  });

  it.each(['\n', '\r\n'])(
    'of a primary that follows again keep user and password file, with the line end %j',
    (end) => {
      const line = (host: string) =>
        `primary_conninfo = 'host=${host} port=1 user=repl application_name=server1 passfile=/p'`;
      const text = `#primary_conninfo = ''${end}a = 1${end}${line('old')}${end}b = 2${end}`;
      const out = withoutSetting(text, 'primary_conninfo');
      expect(out).toBe(text.replace(`${end}primary`, `${end}#primary`));
      const to = { host: 'new', port: 1, standby: 'server1' };
      const words = withPrimary(out, '', to)
        .split(end)
        .filter((one) => one.startsWith('primary_conninfo'));
      expect(words).toHaveLength(1);
      expect(words[0]?.match(/[a-z_]+=[^ ']+/g)?.sort()).toEqual(
        line('new')
          .match(/[a-z_]+=[^ ']+/g)
          ?.sort(),
      );
      expect(withPrimary(out, '', to)).toContain(`${end}b = 2${end}`);
    },
  );

  it('has names in quotes that the server would take for words of its own', () => {
    const text = `${sample}synchronous_standby_names = 'FIRST 1 ("any", first2, "First")'\n`;
    expect(withNames(text, ['any']).value).toBe('"any"');
    expect(withNames(text, ['First', 'any']).value).toBe('FIRST 1 ("any", "First")');
    expect(withNames(withNames(text, []).text, ['any', 'first2', 'First']).text).toBe(text);
  });

  it('is found again after an editor has gone over the file', () => {
    for (const edited of [
      (text: string) => text.replaceAll('\n', '\r\n'),
      (text: string) => text.replaceAll(' = ', '='),
      (text: string) => text.replaceAll(' #', '\t#'),
      (text: string) => text.replace(/^syn/m, '  Syn'),
    ]) {
      const one = edited(withNames(trio, ['server3']).text);
      expect(withNames(one, ['server3']).value).toBe('server3');
      const none = withNames(one, []).text;
      expect(none).not.toMatch(/^\s*synchronous_standby_names/im);
      const all = withNames(none, ['server2', 'server3']);
      expect(all.value).toBe('FIRST 1 (server2, server3)');
      expect(all.text.match(/^\s*synchronous_standby_names/gim)).toHaveLength(1);
    }
  });

  it('of a standby that follows again has every name, however many were taken out before', () => {
    expect(withEveryName(withoutSetting(pair, 'synchronous_standby_names'))).toBe(pair);
    const one = withNames(trio, ['server3']).text;
    expect(withEveryName(withoutSetting(one, 'synchronous_standby_names'))).toBe(trio);
    expect(withEveryName(pair)).toBe(pair);
    expect(withEveryName(sample)).toBe(sample);
  });

  it('is made where it never stood', () => {
    const line = `synchronous_standby_names = '"server-2"' # by the Mirroring Controller`;
    expect(withNames(sample, ['server-2']).text).toBe(`${sample}${line}\n`);
    // Among the lines of ours, where there are some, so that it goes with them.
    const block = `${sample}\n${ourHeading}\nport = 1\n`;
    expect(withNames(`${block}\nlater = 1\n`, ['server-2']).text).toBe(`${block}${line}\n\nlater = 1\n`);
  });

  it('is read in every form that PostgreSQL knows', () => {
    expect(parseNames('a, "b-c"')).toEqual({ needed: 1, ids: ['a', 'b-c'] });
    expect(parseNames('ANY 2 (a, b, c)')).toEqual({ needed: 2, ids: ['a', 'b', 'c'] });
    expect(parseNames('1 (a)')).toEqual({ needed: 1, ids: ['a'] });
    expect(parseNames('')).toEqual({ needed: 0, ids: [] });
  });

  it('another file that sets it is named', () => {
    const auto = "synchronous_standby_names = 'x'\n";
    expect(overriding('synchronous_standby_names', { auto, included: [] })).toBe('postgresql.auto.conf');
    const included = [{ path: '/etc/extra.conf', text: auto }];
    expect(overriding('synchronous_standby_names', { auto: '', included })).toBe('/etc/extra.conf');
    expect(overriding('synchronous_standby_names', { auto: '# none', included: [] })).toBeUndefined();
    expect(includes("include_dir = 'conf.d'\n#include 'a'\ninclude 'b'\n")).toEqual(['conf.d', 'b']);
  });
});

describe('synchronized_standby_slots', () => {
  const slots = `${trio}synchronized_standby_slots = 'server2, server3, reports' # ours\n`;
  const line = (text: string): readonly string[] =>
    text.split('\n').filter((it) => it.startsWith('synchronized_standby_slots'));
  const having = (text: string, ids: readonly string[]): string => withSlots(withNames(text, ids).text, ids);

  it('names no standby that is out, and everything again when all are in', () => {
    const one = having(slots, ['server3']);
    expect(line(one)).toEqual([
      "synchronized_standby_slots = 'server3, reports' # by the Mirroring Controller",
    ]);
    const other = having(one, ['server2']);
    expect(line(other)).toEqual([
      "synchronized_standby_slots = 'server2, reports' # by the Mirroring Controller",
    ]);
    expect(line(having(other, []))).toEqual([]);
    expect(having(having(other, []), ['server2', 'server3'])).toBe(slots);
    expect(having(slots, ['server3', 'server2'])).toBe(slots);
  });

  it('knows a slot by the name of its server, in the letters that slots have', () => {
    const text = `synchronous_standby_names = '"Db-1.x", db2'\nsynchronized_standby_slots = 'db_1_x,db2'\n`;
    expect(line(having(text, ['db2']))[0]).toContain("= 'db2' #");
  });

  it('has our own slot of a standby only once it is listed, beside what others wrote', () => {
    const listed = withListed(trio, ['server2', 'server3']).text;
    expect(line(listed)).toEqual([
      "synchronized_standby_slots = 'pgduet_for_server2, pgduet_for_server3' # by the Mirroring Controller",
    ]);
    const one = having(listed, ['server3']);
    expect(line(one)).toEqual([
      "synchronized_standby_slots = 'pgduet_for_server3' # by the Mirroring Controller",
    ]);
    expect(line(having(one, ['server2', 'server3']))).toEqual(line(one));
    expect(line(having(one, []))).toEqual([]);
    expect(line(having(having(one, []), ['server2', 'server3']))).toEqual([]);
    expect(line(withListed(slots, ['server2']).text)).toEqual([
      "synchronized_standby_slots = 'server2, server3, reports, pgduet_for_server2' # by the Mirroring Controller",
    ]);
    expect(withListed(listed, []).value).toBe('');
    expect(withListed(listed, ['server2', 'server3']).text).toBe(listed);
  });

  it('is not made where nobody has set it', () => {
    expect(withSlots(withNames(pair, []).text, [])).toBe(withNames(pair, []).text);
    expect(withSlots(pair, ['server2'])).toBe(pair);
  });
});

describe('primary_conninfo', () => {
  const text =
    "a = 1\nprimary_conninfo = 'host=192.0.2.100 port=27500 user=repl passfile=/h/.pgpass application_name=server2'\nb = 2\n";

  it('goes and comes back for another server, with user and password file', () => {
    const cut = withoutSetting(text, 'primary_conninfo');
    expect(cut).toBe(text.replace('\nprimary', '\n#primary'));
    expect(withPrimary(cut, '', { host: '192.0.2.110', port: 27501, standby: 'server1' })).toBe(
      "a = 1\nprimary_conninfo = 'host=192.0.2.110 port=27501 user=repl passfile=/h/.pgpass application_name=server1'\nb = 2\n",
    );
  });
});

it('positions are compared as numbers', () => {
  expect(lsnValue('1/0') - lsnValue('0/FFFFFFFF')).toBe(1);
});
