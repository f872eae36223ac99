/**
 * What makes each form of a single server what it is, as the server and its host say it. In: a single server, as `forms.ts`
 * has made it. Out: assertions. It asks without pgduet.
 */
import { expect } from 'vitest';
import { sql } from '../support/instance.ts';
import type { FormName, Single } from './forms.ts';

/** The server is what its form says. */
export const expectForm = (single: Single): Promise<void> => facts[single.form](single);

const setting = (single: Single, name: string) =>
  sql(
    single.server,
    `SELECT setting, source, sourcefile, sourceline FROM pg_settings WHERE name = '${name}'`,
  );

/** What makes each form what it is, as the server says it. */
const facts: Readonly<Record<FormName, (single: Single) => Promise<void>>> = {
  async byHand(single) {
    expect(await setting(single, 'work_mem')).toBe('7168|command line||');
    expect(await setting(single, 'data_checksums')).toContain('on|');
    expect(await setting(single, 'listen_addresses')).toContain('localhost|default');
  },
  async ownUnit(single) {
    const dir = single.server.dataDir;
    expect(await setting(single, 'work_mem')).toBe(`6144|configuration file|${dir}/conf.d/20-memory.conf|1`);
    expect(await setting(single, 'maintenance_work_mem')).toContain(`${dir}/extra.conf`);
    expect(await setting(single, 'max_wal_senders')).toContain(
      `6|configuration file|${dir}/postgresql.auto.conf`,
    );
    expect(await setting(single, 'data_checksums')).toContain('off|');
    expect((await single.host.sh(`readlink ${dir}/pg_wal`)).stdout.trim()).toBe(single.walDir);
    expect(await sql(single.server, 'SELECT slot_name FROM pg_replication_slots ORDER BY 1')).toBe(
      'backup_tool\nreports',
    );
    expect(await sql(single.server, "SELECT pg_relation_filepath('shop.readings')", 'app')).toMatch(
      /^pg_tblspc/,
    );
    await sql(single.server, 'SELECT pg_switch_wal()');
    expect(await sql(single.server, 'SELECT count(*) > 0 FROM pg_stat_archiver WHERE failed_count = 0')).toBe(
      't',
    );
  },
  async packaged(single) {
    expect(await setting(single, 'work_mem')).toBe(
      `6144|configuration file|${single.configDir}/conf.d/10-shop.conf|4`,
    );
    expect(await sql(single.server, 'SHOW config_file')).toBe('/etc/postgresql/15/main/postgresql.conf');
    expect((await single.host.sh('pg_lsclusters -h')).stdout).toMatch(/^15 +main +5432 +online/);
  },
  needsNothing: alreadySo,
  needsNothingUnit: alreadySo,
};

async function alreadySo(single: Single): Promise<void> {
  for (const [name, value] of Object.entries({
    data_checksums: 'on',
    logging_collector: 'on',
    max_wal_senders: '10',
  }))
    expect(await setting(single, name)).toContain(`${value}|`);
}
