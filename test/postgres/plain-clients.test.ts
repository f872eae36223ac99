/** Client rules and sessions as a server of PostgreSQL tells them: what is compared with the inventory, and who is in without TLS. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sameClients, wordsOf } from '../../src/inventory/client-rules.ts';
import { type RuleRow, rowWords, ruleRowsQuery } from '../../src/postgres/hba-rows.ts';
import { plainSessionsQuery } from '../../src/postgres/plain-sessions.ts';
import { cannotRun, RealServer } from './real-server.ts';

describe.skipIf(cannotRun !== undefined)('a server without TLS', () => {
  const server = new RealServer();
  const rules = [
    'local all all peer',
    'host all all samehost trust',
    'hostssl app app 10.0.0.0/8 scram-sha-256',
    'hostnossl app app 10.0.0.0/8 reject',
    'hostssl "a b",x krb .example.com gss',
    'hostgssenc "a b",x krb .example.com gss',
    'hostnossl "a b",x krb .example.com reject',
    'hostnossl all all all reject',
    'hostnossl all all 2001:db8::/33 reject',
    'hostnossl all all 2001:DB8:0::/32 reject',
    'hostnossl all all 10.1.2.3/8 reject',
    'hostnossl all all ::ffff:10.0.0.0/104 reject',
  ];
  beforeAll(() => server.start([], { 'pg_hba.conf': `${rules.join('\n')}\n` }));
  afterAll(() => server.stop());

  it('tells its rules for the network by the words of the inventory, in their order', () => {
    const rows = JSON.parse(server.sql(`select ${ruleRowsQuery}`)) as readonly RuleRow[];
    expect(rows.map(({ type, method }) => `${type} ${method}`)).toEqual(
      rules.slice(1).map((line) => line.replace(/^(\w+) .* (\S+)$/, '$1 $2')),
    );
    const declared = (database: string, user: string, address: string) =>
      wordsOf({ database, user, address });
    const wanted = [
      declared('app', 'app', '10.0.0.0/8'),
      declared('"a b", x', 'krb', '.example.com'),
      declared('all', 'all', 'all'),
      declared('all', 'all', '2001:db8::/33'),
      declared('all', 'all', '2001:DB8:0::/32'),
      declared('all', 'all', '10.1.2.3/8'),
      declared('all', 'all', '::ffff:10.0.0.0/104'),
    ];
    const told = rows.filter(({ method }) => method === 'reject').map(rowWords);
    expect(told.slice(0, 4)).toEqual(wanted.slice(0, 4));
    expect(told).toHaveLength(wanted.length);
    wanted.forEach((words, at) => {
      const one = told[at];
      expect(one && sameClients(one, words), JSON.stringify(one)).toBe(true);
    });
  });

  it('has a list of who crosses the network in the clear: not who comes over the socket or loopback', () => {
    const asked = `select ${plainSessionsQuery(['repl', "o'x"])}`;
    expect(server.sql(asked)).toBe('[]');
    expect(server.sql(asked, 'host=127.0.0.1 dbname=postgres')).toBe('[]');
  });
});
