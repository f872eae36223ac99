/**
 * The single servers that the tests of migrate and teardown begin with, and the proofs that those use: each form is what it
 * says, two looks at it are equal, and every kind of change is named. pgduet is not called here.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Host, Lab } from '../harness/lab.ts';
import { sql } from '../support/instance.ts';
import { clusterName, controllerPort, type FormName, forms, managementDir, type Single } from './forms.ts';
import { more, remains } from './remains.ts';
import { countRestarts } from './restarts.ts';
import { difference, hostSnapshot, type Snapshot, snapshot } from './snapshot.ts';
import { checksums, logged, sequences } from './tables.ts';
import { doubled, missing, writeOnHost, writeOverNetwork } from './writer.ts';

const setting = (single: Single, name: string) =>
  sql(
    single.server,
    `SELECT setting, source, sourcefile, sourceline FROM pg_settings WHERE name = '${name}'`,
  );

/** What makes each form what it is, as the server says it. */
const facts: Readonly<Record<FormName, (single: Single) => Promise<unknown>>> = {
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

describeLab('single servers', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.open();
  });
  afterAll(() => lab?.close());

  for (const form of Object.keys(forms) as FormName[]) {
    describe(form, () => {
      let host: Host;
      let single: Single;
      let first: Snapshot;
      beforeAll(async () => {
        [host] = await lab.hosts(1, { names: [form.toLowerCase()] });
        single = await forms[form](lab, host);
      });
      afterAll(() => host?.powerOff());

      labTest('is what it says, and its data can be told', async () => {
        await facts[form](single);
        const sums = await checksums(single.server);
        expect([...sums.keys()]).toEqual([
          'app: shop.customers',
          'app: shop.readings',
          'app: unlogged shop.sessions',
          'app: shop.totals',
          expect.stringMatching(/^app: large object \d+$/),
          'stock: public.items',
        ]);
        const items = Array.from({ length: 300 }, (_, at) => `(${at + 1},"item ${at + 1}")`).sort();
        const sum = createHash('md5').update(items.join('\n')).digest('hex');
        expect(logged(sums)['stock: public.items']).toBe(`300|${sum}`);
        expect(sums.get('app: shop.customers')).toMatch(/^2001\|/);
        expect((await sequences(single.server, 'app')).get('shop.invoice')).toBe(1040n);
      });

      labTest('two looks at it are equal, and a client that writes does not change them', async () => {
        first = await snapshot(single);
        const before = await checksums(single.server);
        const writer = single.listens
          ? await writeOverNetwork(lab, [single.server])
          : await writeOnHost(lab, single.server);
        await writer.more(100);
        const written = await writer.stop();
        expect(written.longestGapMs, written.errors).toBeLessThan(1000);
        expect(await missing(single.server, written)).toEqual([]);
        expect(await doubled(single.server)).toBe('');
        expect(difference(first, await snapshot(single))).toBe('');
        expect(await checksums(single.server)).toEqual(before);
      });

      labTest('is there again after a reboot exactly where a unit starts it', async () => {
        await host.reboot();
        await host.sh('systemctl is-system-running --wait');
        const runs = (await host.sh('pgrep -x postgres')).stdout !== '';
        expect(runs).toBe(single.unit !== undefined);
        if (runs) expect(difference(first, await snapshot(single))).toBe('');
      });
    });
  }

  describe('the proofs', () => {
    let host: Host;
    let single: Single;
    let before: Snapshot;
    beforeAll(async () => {
      [host] = await lab.hosts(1, { names: ['proofs'] });
      single = await forms.ownUnit(lab, host);
      before = await snapshot(single);
    });

    /** Makes a change, looks, takes it back, and has to find everything as it was. */
    const named = async (change: string, back: string, ...wanted: (string | RegExp)[]): Promise<void> => {
      await host.sh(change, { check: true });
      const text = difference(before, await snapshot(single));
      await host.sh(back, { check: true });
      for (const each of wanted) expect(text).toMatch(each);
      expect(difference(before, await snapshot(single)), `after: ${back}`).toBe('');
    };
    const psql = (text: string) => `runuser -u postgres -- psql -XqAt -p 27500 -d postgres -c "${text}"`;

    labTest('name an edited line, a mode, an owner, and a newline at the end of a file', async () => {
      const { configDir: dir } = single;
      await named(
        `cp -p ${dir}/postgresql.conf /tmp/kept; echo >> ${dir}/postgresql.conf`,
        `cp -p /tmp/kept ${dir}/postgresql.conf`,
        'No newline at end of file',
      );
      await named(
        `chmod 600 ${dir}/conf.d/10-log.conf`,
        `chmod 640 ${dir}/conf.d/10-log.conf`,
        '-640 postgres',
      );
      await named(`chown root ${dir}/extra.conf`, `chown postgres ${dir}/extra.conf`, '+640 root:postgres');
      await named(
        `sed -i.was 's/^# the/# The/; /Anna/d' ${dir}/pg_hba.conf`,
        `mv ${dir}/pg_hba.conf.was ${dir}/pg_hba.conf`,
        '-# The shop',
      );
      await named(`touch ${dir}/pgduet.json`, `rm ${dir}/pgduet.json`, '/database/inst1/pgduet.json');
    });

    labTest('name a value in force, a role, a slot, a unit, a service, a file anywhere', async () => {
      await named(
        `${psql('ALTER SYSTEM SET work_mem = 8192')}; ${psql('SELECT pg_reload_conf()')}; sleep 0.3`,
        `${psql('ALTER SYSTEM RESET work_mem')}; ${psql('SELECT pg_reload_conf()')}; sleep 0.3`,
        /-work_mem\|6144[\s\S]*\+work_mem\|8192/,
        'postgresql.auto.conf',
      );
      await named(psql('CREATE ROLE somebody'), psql('DROP ROLE somebody'), '+somebody');
      await named(
        psql("SELECT pg_create_physical_replication_slot('left_behind')"),
        psql("SELECT pg_drop_replication_slot('left_behind')"),
        '+left_behind',
      );
      await named(
        'systemctl disable -q postgresql-inst1',
        'systemctl enable -q postgresql-inst1',
        '+UnitFileState=disabled',
        /-.*multi-user.target.wants.postgresql-inst1.service/,
      );
      await named(
        'mkdir /etc/systemd/system/postgresql-inst1.service.d; printf "[Service]\nRestart=no\n" >/etc/systemd/system/postgresql-inst1.service.d/pgduet.conf; systemctl daemon-reload',
        'rm -r /etc/systemd/system/postgresql-inst1.service.d; systemctl daemon-reload',
        '+DropInPaths=/etc',
      );
      await named(
        'cp -p /etc/services /tmp/services; echo "x 1/tcp" >>/etc/services',
        'cp -p /tmp/services /etc/services',
        '+x 1/tcp',
      );
      await named('mkdir -m 700 /mcdir', 'rmdir /mcdir', '+/mcdir d 700 root:root');
    });

    labTest('name rows that are missing, and a row that was changed', async () => {
      const sums = await checksums(single.server);
      await sql(single.server, "UPDATE shop.customers SET name = name || '.' WHERE id = 7", 'app');
      const changed = [...(await checksums(single.server))].filter(([name, sum]) => sums.get(name) !== sum);
      expect(changed.map(([name]) => name)).toEqual(['app: shop.customers']);
      const writer = await writeOverNetwork(lab, [single.server]);
      await writer.more(10);
      const written = await writer.stop();
      const third = written.ids[2] ?? 0;
      await sql(single.server, `DELETE FROM written WHERE who = '${written.who}' AND id = ${third}`, 'app');
      expect(await missing(single.server, written)).toEqual([third]);
    });

    labTest('measure how long a client could not write, and count restarts', async () => {
      const count = countRestarts(single.server);
      const writer = await writeOverNetwork(lab, [single.server]);
      const { stdout } = await host.sh(
        `a=$(date +%s%N); systemctl restart postgresql-inst1; b=$(date +%s%N); echo $(((b - a) / 1000000))`,
        { check: true },
      );
      await writer.more(20);
      const { longestGapMs } = await writer.stop();
      expect(await count.stop()).toBe(1);
      expect(longestGapMs).toBeGreaterThan(Number(stdout) * 0.4);
      expect(longestGapMs).toBeLessThan(Number(stdout) + 500);
    });

    labTest('find what is left behind, wherever it is, and nothing where nothing is', async () => {
      const clean = await remains(host, single.server);
      const [bare] = await lab.hosts(1, { names: ['bare'] });
      expect(await remains(bare)).toEqual([]);
      await host.sh(
        `mkdir -p ${managementDir}; echo 'mcoi_${clusterName} ${controllerPort}/tcp' >>/etc/services
echo '*:27500:replication:pgduet_repl:x' >/var/lib/postgresql/.pgpass
printf '#pgduet: listen_addresses\n' >>${single.configDir}/conf.d/10-log.conf
printf '[Service]\nExecStart=/bin/true\n' >/etc/systemd/system/mcoi_${clusterName}.service; systemctl daemon-reload
${psql('CREATE ROLE pgduet_repl')}; ${psql("SELECT pg_create_physical_replication_slot('copy_of_b')")} >/dev/null
touch /run/lock/pgduet-${clusterName}.lock
systemd-run -q --unit=squat python3 -m http.server ${controllerPort}; until ss -Hltn "sport = :${controllerPort}" | grep -q .; do sleep 0.05; done`,
        { check: true },
      );
      const left = more(clean, await remains(host, single.server)).map((line) =>
        line.replace(/^(listens).*/, '$1'),
      );
      const unit = `mcoi_${clusterName}.service`;
      for (const line of [
        `file ${managementDir}`,
        `file /etc/systemd/system/${unit}`,
        `file /run/lock/pgduet-${clusterName}.lock`,
        'listens',
        'role pgduet_repl',
        'slot copy_of_b',
        `text ${single.configDir}/conf.d/10-log.conf:#pgduet: listen_addresses`,
        `text /etc/services:mcoi_${clusterName} ${controllerPort}/tcp`,
        'text /var/lib/postgresql/.pgpass:*:27500:replication:pgduet_repl:x',
        `unit ${unit}`,
      ])
        expect(left).toContain(line);
    });

    labTest('compare the host around a server that another one will get', async () => {
      const [other] = await lab.hosts(1, { names: ['other'] });
      const [once, twice] = [
        await hostSnapshot(other, ['/database/inst1']),
        await hostSnapshot(other, ['/database/inst1']),
      ];
      expect(difference(once, twice)).toBe('');
      await other.sh('install -d -m 700 -o postgres /database/inst1; touch /database/inst1/x', {
        check: true,
      });
      const text = difference(once, await hostSnapshot(other, ['/database/inst1']));
      expect(text).toContain('+/database/inst1 d 700 postgres:root');
      expect(text).not.toContain('inst1/x');
    });
  });
});
