/**
 * The proofs that the tests of migrate and teardown use, tried on one single server: two looks at it are equal, and every
 * kind of change is named. pgduet is not called here.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Host, Lab } from '../harness/lab.ts';
import { sql } from '../support/instance.ts';
import { clusterName, controllerPort, forms, managementDir, type Single } from './forms.ts';
import { more, remains } from './remains.ts';
import { countRestarts } from './restarts.ts';
import { difference, hostSnapshot, type Snapshot, snapshot } from './snapshot.ts';
import { checksums, logged, sequences } from './tables.ts';
import { doubled, missing, writeOnHost, writeOverNetwork } from './writer.ts';

describeLab('the proofs of single servers', () => {
  let lab: Lab;
  let host: Host;
  let single: Single;
  let before: Snapshot;
  beforeAll(async () => {
    lab = await Lab.open();
    [host] = await lab.hosts(1, { names: ['proofs'] });
    single = await forms.ownUnit(lab, host);
    before = await snapshot(single);
  });
  afterAll(() => lab?.close());

  /** Makes a change, looks, takes it back, and has to find everything as it was. */
  const named = async (change: string, back: string, ...wanted: (string | RegExp)[]): Promise<void> => {
    await host.sh(change, { check: true });
    const text = difference(before, await snapshot(single));
    await host.sh(back, { check: true });
    for (const each of wanted) expect(text).toMatch(each);
    expect(difference(before, await snapshot(single)), `after: ${back}`).toBe('');
  };
  const psql = (text: string) => `runuser -u postgres -- psql -XqAt -p 27500 -d postgres -c "${text}"`;

  labTest('tell the data: tables, rows, sequences', async () => {
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

  labTest('are not changed by a client that writes', async () => {
    const sums = await checksums(single.server);
    for (const writer of [
      await writeOverNetwork(lab, [single.server]),
      await writeOnHost(lab, single.server),
    ]) {
      await writer.more(100);
      expect(await missing(single.server, [await writer.stop()])).toEqual([]);
    }
    expect(await doubled(single.server)).toBe('');
    expect(difference(before, await snapshot(single))).toBe('');
    expect(await checksums(single.server)).toEqual(sums);
  });

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
      /^-640 \d+:\d+$/m,
    );
    await named(`chown root ${dir}/extra.conf`, `chown postgres ${dir}/extra.conf`, /^\+640 0:[1-9]\d*$/m);
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
    await named('mkdir -m 700 /mcdir', 'rmdir /mcdir', '+/mcdir directory 700 0:0');
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
    expect(await missing(single.server, [written])).toEqual([`${written.who} ${third}`]);
  });

  labTest('count the restarts of a server that a client writes to', async () => {
    const count = countRestarts(single.server);
    const writer = await writeOverNetwork(lab, [single.server]);
    await host.sh('systemctl restart postgresql-inst1', { check: true });
    await writer.more(20);
    expect((await writer.stop()).errors).not.toBe('');
    expect(await count.stop()).toBe(1);
  });

  labTest('find what is left behind, wherever it is, and nothing where nothing is', async () => {
    const clean = await remains(host, single.server);
    const [bare] = await lab.hosts(1, { names: ['bare'] });
    expect(await remains(bare)).toEqual([]);
    await host.sh(
      `mkdir -p ${managementDir}; echo 'mcoi_${clusterName} ${controllerPort}/tcp' >>/etc/services
echo '*:27500:replication:pgduet_repl:x' >/var/lib/postgresql/.pgpass
printf '#pgduet: listen_addresses\n' >>${single.configDir}/conf.d/10-log.conf
printf '[Service]\nExecStart=/bin/true\nRemainAfterExit=yes\n' >/etc/systemd/system/mcoi_${clusterName}.service
systemctl daemon-reload; systemctl start mcoi_${clusterName}
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
    expect(text).toMatch(/^\+\/database\/inst1 directory 700 [1-9]\d*:0$/m);
    expect(text).not.toContain('inst1/x');
  });
});
