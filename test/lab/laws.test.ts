/**
 * The two laws of every resource kind, on real hosts: a probe changes nothing, and after its steps a resource is the
 * same. In: nothing; it provisions a pair of its own. A kind of the registry that is missing here fails the test.
 */

import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { batchScript, batchSteps } from '../../src/apply/batch-script.ts';
import { run } from '../../src/apply/run.ts';
import { renewalText } from '../../src/base/renewal.ts';
import { Secret } from '../../src/base/secret.ts';
import { arbiterKeyOf, clusterMark } from '../../src/controller/config-arbiter-key.ts';
import type { Cluster, Server } from '../../src/inventory/cluster.ts';
import { loadInventory } from '../../src/inventory/load.ts';
import { answerTo, hostPreamble, look } from '../../src/observe/look.ts';
import { statusProbes } from '../../src/observe/status.ts';
import {
  preferredView,
  readHostView,
  survey,
  surveyProbes,
  surveyReplies,
  type View,
} from '../../src/observe/survey.ts';
import { nextBatch } from '../../src/plan/batch.ts';
import { type Decision, isEmpty, makePlan, pending, type Resource } from '../../src/plan/plan.ts';
import { compile } from '../../src/playbook/compile.ts';
import { parsePlaybook } from '../../src/playbook/playbook.ts';
import { mcCtlPath } from '../../src/playbook/variables/controller.ts';
import { caCertificate, serverCertificate } from '../../src/postgres/certificate-made.ts';
import type { Probe } from '../../src/resources/contract/kind.ts';
import { kinds } from '../../src/resources/registry.ts';
import { shippedAsset, shippedTemplate } from '../../src/shipped.ts';
import { openTransport } from '../../src/transport/open.ts';
import type { Session, Transport } from '../../src/transport/port.ts';
import { effectPlace } from '../../src/verbs/load.ts';
import { included } from '../../src/verbs/playbook-files.ts';
import { describeLab, labTest } from './harness/describe.ts';
import { type Host, Lab } from './harness/lab.ts';
import { dataDir, inventory, managementDir } from './support/inventory.ts';
import { built } from './support/pgduet.ts';

const playbookText = readFileSync(join(import.meta.dirname, '../../playbooks/provision.yml'), 'utf8');
const switchText = readFileSync(join(import.meta.dirname, '../../playbooks/switch.yml'), 'utf8');
const unitText =
  '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n';
const scriptText = `#!/bin/sh
### BEGIN INIT INFO
# Provides:          law
# Required-Start:    $local_fs
# Required-Stop:     $local_fs
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: law
### END INIT INFO
`;
const ownTexts: Readonly<Record<string, string>> = { 'law.service.hbs': unitText, 'law.hbs': scriptText };
const lawKeys = { from: new Secret('5a'.repeat(32)), to: new Secret('6b'.repeat(32)) };
const lawArbiterKeys = { from: arbiterKeyOf(lawKeys.from), to: arbiterKeyOf(lawKeys.to) };
const secrets: Readonly<Record<string, Secret>> = {
  replication_password: new Secret('law-password-1'),
  rewind_password: new Secret('law-password-2'),
  arbiter_key: new Secret(`${arbiterKeyOf(new Secret('5a'.repeat(32))).reveal()}\n`),
  cluster_key: new Secret(`${'5a'.repeat(32)}\n`),
  renewal: new Secret(renewalText({ key: lawKeys })),
  arbiter_renewal: new Secret(renewalText({ key: lawArbiterKeys })),
};

function compiled(text: string, cluster: Cluster, view: View): readonly Resource[] {
  const playbook = parsePlaybook({ path: 'laws.yml', text }, [...kinds.keys()], included);
  const result = playbook.ok
    ? compile(
        playbook.value,
        { cluster, view, intent: { kind: 'run' } },
        {
          kinds,
          template: (name) => ownTexts[name] ?? shippedTemplate(name),
          asset: shippedAsset,
          secret: (name) => secrets[name],
          entropy: '0f'.repeat(16),
        },
      )
    : playbook;
  if (!result.ok) throw new Error(result.diagnostics.map(({ what }) => what).join('\n'));
  return result.value;
}

/** One way to break a thing: on which host, and what happens elsewhere while its steps wait. */
interface Break {
  readonly title: string;
  readonly script?: string;
  readonly on?: string;
  readonly meanwhile?: string;
}

/** A resource and the ways in which it is broken; each time its steps have to make it right. */
interface Law {
  readonly host: string;
  /** "kind key" of the provisioning playbook, or YAML of its own. */
  readonly resource: string;
  /** Where the server is for this law; left out: where the inventory has it. */
  readonly place?: { readonly dataDir: string; readonly managementDir: string };
  readonly breaks: readonly Break[];
}

const fresh: Break = { title: 'is not there' };
const unit = 'mcoi_inst1';
const unitPath = `/etc/systemd/system/${unit}.service`;
const stopStandby = {
  on: 'server2',
  script: `systemctl stop ${unit}`,
  meanwhile: `systemctl --no-block start ${unit}`,
};
const as = (statement: string): string =>
  `runuser -u postgres -- psql -qXp 27500 -c ${JSON.stringify(statement)}`;

/** Commits wait for the standby again. */
const untilSync = `n=0; until [ "$(runuser -u postgres -- psql -qXAtp 27500 -c "select count(*) from pg_stat_replication where sync_state = 'sync'")" = 1 ]; do n=$((n + 1)); [ $n -lt 300 ] || exit 1; sleep 0.1; done`;

const conf = `${dataDir}/postgresql.conf`;
const hba = `${dataDir}/pg_hba.conf`;
const reloaded = `${as('SELECT pg_reload_conf()')} >/dev/null; sleep 0.5`;

/** A pair as pgduet makes one: the key waits on the host. */
const lawTls = `${managementDir}/tls`;
const lawPairKeys = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const lawKey = lawPairKeys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const lawTimes = { fromMs: Date.UTC(2026, 0, 1), untilMs: Date.UTC(2046, 0, 1) };
const lawCa = caCertificate({ name: 'law', key: lawPairKeys.privateKey, serial: Buffer.from([1]) }, lawTimes);
const lawCertificate = serverCertificate(
  {
    publicKey: lawPairKeys.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    names: ['server1'],
    serial: Buffer.from([2]),
  },
  { certificate: lawCa, key: lawPairKeys.privateKey },
  lawTimes,
);

const newPair =
  'install -d -o postgres /law-tls; runuser -u postgres -- openssl req -x509 -newkey rsa:2048 -nodes -keyout /law-tls/key -out /law-tls/pem -days 9 -subj /CN=law 2>/dev/null';
const untilSwitchable = `n=0; until runuser -u postgres -- mc_ctl status -M ${managementDir} | grep -qx switchable || [ $n -gt 100 ]; do n=$((n + 1)); sleep 0.2; done`;

const renewalPath = `${managementDir}/renewal.json`;
const identitiesPath = `${managementDir}/identities.json`;
/** For Node: server2 is to prove a key that it does not have. */
const anotherKey = `const fs = require("fs"), path = process.argv[1], all = JSON.parse(fs.readFileSync(path, "utf8"));
const { publicKey } = require("crypto").generateKeyPairSync("ec", { namedCurve: "prime256v1" });
all.servers.server2 = publicKey.export({ type: "spki", format: "der" }).toString("base64");
fs.writeFileSync(path, JSON.stringify(all));`;
const bothMarks = [lawKeys.from, lawKeys.to].map(clusterMark).join(', ');
const arbiterPlace =
  'directory: /mcarb/arbiter, cluster: inst1, owner: mcarb, unit: mcarb_arbiter, mc_arb: /usr/local/bin/mc_arb';

/** In the order of the playbook, since the later ones need the earlier ones. The standby's stand together at the end. */
const laws: readonly Law[] = [
  {
    host: 'bare',
    resource: 'package: { name: nodejs, provides: node }',
    breaks: [fresh, { title: 'has lost its program', script: 'rm "$(command -v node)"' }],
  },
  { host: 'server1', resource: 'group: { name: lawgroup }', breaks: [fresh] },
  { host: 'server1', resource: 'user: { name: lawuser }', breaks: [fresh] },
  {
    host: 'server1',
    resource: 'shared_memory: {}',
    breaks: [
      {
        title: 'is that of a person',
        script: "sed -i '/SYS_UID_MAX/d' /etc/login.defs; echo 'SYS_UID_MAX 50' >>/etc/login.defs",
      },
    ],
  },
  {
    host: 'server1',
    resource: "directory: { path: /law, owner: postgres, mode: '0700' }",
    breaks: [fresh, { title: 'is open to all', script: 'chmod 0777 /law; chown lawuser /law' }],
  },
  {
    host: 'server1',
    resource:
      "file: { path: /law-file, owner: postgres, group: lawgroup, mode: '0640', content: \"it's\\n$HOME\\n\" }",
    breaks: [
      fresh,
      { title: 'was edited', script: 'echo x >> /law-file' },
      { title: 'is open to all', script: 'chmod 0666 /law-file; chgrp 0 /law-file' },
      {
        title: 'was edited by somebody who owns it now',
        script: 'echo x >> /law-file; chown lawuser:root /law-file; chmod 0400 /law-file',
      },
    ],
  },
  {
    host: 'server1',
    resource: "file: { path: /law/file, owner: postgres, mode: '0640', content: one }",
    breaks: [
      fresh,
      { title: 'is open to all', script: 'chmod 0666 /law/file' },
      { title: "is root's", script: 'chown root:root /law/file; chmod 0600 /law/file' },
      {
        title: 'was edited by somebody who owns it now',
        script: 'echo x >> /law/file; chown lawuser:root /law/file; chmod 0400 /law/file',
      },
    ],
  },
  {
    host: 'server1',
    resource: 'symlink: { path: /law/link, target: /law/file, owner: postgres }',
    breaks: [fresh],
  },
  {
    // Each network namespace has this parameter for itself, so no other host is touched. systemd-nspawn mounts it read-only.
    host: 'server1',
    resource: 'sysctl: { name: net.ipv4.tcp_keepalive_time, value: 61 }',
    breaks: [
      {
        title: 'is not there',
        script: 'mount --bind /proc/sys/net /proc/sys/net; mount -o remount,bind,rw /proc/sys/net',
      },
      { title: 'was set by hand', script: 'echo 7200 > /proc/sys/net/ipv4/tcp_keepalive_time' },
      { title: 'has lost its file', script: 'rm /etc/sysctl.d/net.ipv4.tcp_keepalive_time.conf' },
      {
        title: 'may be written by everybody',
        script: 'chmod 0666 /etc/sysctl.d/net.ipv4.tcp_keepalive_time.conf',
      },
    ],
  },
  {
    host: 'server1',
    resource:
      "firewall: { name: law, cluster: inst1, state: tried, ports: { '27999': '10.0.0.0/8 fd00::/8' } }",
    breaks: [
      fresh,
      { title: 'was flushed', script: 'nft delete table inet pgduet_law' },
      { title: 'was edited', script: 'nft flush chain inet pgduet_law input' },
    ],
  },
  {
    host: 'server1',
    resource: "reached: { name: law, places: ['27540@127.0.0.1'], tables: law }",
    breaks: [fresh, { title: 'was forgotten', script: 'rm /etc/pgduet/firewall/law.reached' }],
  },
  {
    host: 'server1',
    resource: `line /etc/services ${unit}`,
    breaks: [
      { title: 'was removed', script: `sed -i /^${unit}/d /etc/services` },
      { title: 'has no file to stand in', script: 'rm /etc/services' },
      { title: 'has another port', script: `sed -i 's/^${unit} .*/${unit}\\t1\\/tcp/' /etc/services` },
    ],
  },
  {
    host: 'server1',
    resource: 'command: { name: law, run: touch /law/done, unless: test -e /law/done, user: postgres }',
    breaks: [fresh],
  },
  {
    host: 'server1',
    resource: 'unit: { name: law, template: law.service.hbs }',
    breaks: [
      fresh,
      { title: 'is disabled', script: 'systemctl disable law' },
      { title: 'was edited', script: 'echo "# x" >> /etc/systemd/system/law.service' },
      {
        title: 'is masked',
        script: 'ln -sf /dev/null /etc/systemd/system/law.service; systemctl daemon-reload',
      },
      {
        title: 'has another owner and mode',
        script: 'chown lawuser /etc/systemd/system/law.service; chmod 0666 /etc/systemd/system/law.service',
      },
      {
        title: 'is a link to a file elsewhere',
        script:
          'mv /etc/systemd/system/law.service /law/law.service; ln -s /law/law.service /etc/systemd/system/law.service',
      },
    ],
  },
  // The program that switches scripts on and off is on every Debian.
  {
    host: 'server1',
    resource: 'init_script: { name: law, tool: update-rc.d, template: law.hbs }',
    breaks: [
      fresh,
      { title: 'is not started at boot', script: 'update-rc.d law disable' },
      { title: 'is not started in one level', script: 'rm /etc/rc3.d/S*law' },
      { title: 'was edited', script: 'echo "# x" >> /etc/init.d/law' },
      { title: 'was removed, and its links are there', script: 'rm /etc/init.d/law' },
      { title: 'is a link', script: 'mv /etc/init.d/law /root/law; ln -s /root/law /etc/init.d/law' },
      { title: 'is open to all', script: 'chmod 0777 /etc/init.d/law' },
    ],
  },
  {
    host: 'server1',
    resource: 'init_script: { name: law, tool: update-rc.d, state: absent }',
    breaks: [
      { title: 'is there' },
      {
        title: 'has left its links',
        script:
          'ln -s ../init.d/law /etc/rc2.d/S01law; for l in 3 4 5; do cp -P /etc/rc2.d/S01law /etc/rc$l.d/; done',
      },
    ],
  },
  // Systemd knows this one, and knows it as running: what it has seen once it does not ask the disk for again.
  {
    host: 'server1',
    resource: `unit ${unit}`,
    breaks: [
      { title: 'was removed', script: `rm ${unitPath}` },
      { title: 'was removed, and systemd knows', script: `rm ${unitPath}; systemctl daemon-reload` },
      { title: 'is masked', script: `ln -sf /dev/null ${unitPath}` },
      {
        title: 'is masked, and systemd knows',
        script: `ln -sf /dev/null ${unitPath}; systemctl daemon-reload`,
      },
      { title: 'is disabled', script: `systemctl disable ${unit}` },
      {
        title: 'has lost its link',
        script: `rm /etc/systemd/system/multi-user.target.wants/${unit}.service`,
      },
      { title: 'was edited', script: `echo '# x' >> ${unitPath}; systemctl daemon-reload` },
      { title: 'was written and not read', script: `touch ${unitPath}` },
      {
        title: 'has a drop-in that systemd has not read',
        script: `mkdir -p ${unitPath}.d; printf '[Service]\nNice=1\n' > ${unitPath}.d/law.conf`,
      },
      {
        title: 'has lost the drop-in, and systemd has not read that',
        script: `rm -r ${unitPath}.d`,
      },
      { title: 'is open to all', script: `chmod 0666 ${unitPath}` },
    ],
  },
  { host: 'server1', resource: 'service: { name: law.service }', breaks: [fresh] },
  {
    host: 'server1',
    resource: 'service: { name: law.service, state: stopped }',
    breaks: [{ title: 'runs' }],
  },
  {
    host: 'server1',
    resource: 'passfile',
    breaks: [
      { title: 'was removed', script: 'rm ~postgres/.pgpass' },
      { title: 'is open to all', script: 'chmod 0644 ~postgres/.pgpass' },
      { title: 'belongs to root', script: 'chown root: ~postgres/.pgpass' },
      { title: 'holds another password', script: "sed -i 's/[^:]*$/other/' ~postgres/.pgpass" },
    ],
  },
  {
    host: 'server1',
    resource: 'instance: {}',
    place: { dataDir: '/law/pg', managementDir: '/law' },
    breaks: [
      { title: 'is not there', script: 'install -d -o postgres -m 700 /law/pg' },
      {
        title: 'was left unfinished',
        script:
          'rm /law/server1.system /law/pg/PG_VERSION; echo initdb > /law/server1.making; chown postgres: /law/server1.making',
      },
    ],
  },
  {
    host: 'server1',
    resource: 'public_schema: {}',
    breaks: [
      { title: 'is open to everybody', script: as('GRANT USAGE ON SCHEMA public TO PUBLIC') },
      { title: 'is open for objects of everybody', script: as('GRANT ALL ON SCHEMA public TO PUBLIC') },
    ],
  },
  {
    host: 'server1',
    resource: 'extension: { name: pg_buffercache }',
    breaks: [fresh, { title: 'was dropped', script: as('DROP EXTENSION pg_buffercache') }],
  },
  {
    host: 'server1',
    resource: 'role: { name: law, replication: true, password: !secret replication_password }',
    breaks: [
      fresh,
      { title: 'may do other things', script: as('ALTER ROLE law NOREPLICATION NOLOGIN SUPERUSER') },
      { title: 'has another password', script: as("ALTER ROLE law PASSWORD 'other'") },
      {
        title: 'may do more than it needs',
        script: as(
          'ALTER ROLE law CREATEDB CREATEROLE BYPASSRLS; GRANT pg_write_all_data, pg_monitor TO law',
        ),
      },
      {
        title: 'was given a membership by somebody else',
        script: as(
          'CREATE ROLE giver SUPERUSER; SET SESSION AUTHORIZATION giver; GRANT pg_read_all_data TO law WITH ADMIN OPTION',
        ),
      },
      {
        title: 'may not come in any more',
        script: as("ALTER ROLE law VALID UNTIL '2020-01-01' CONNECTION LIMIT 0"),
      },
    ],
  },
  {
    host: 'server1',
    resource: 'rewind_source: { name: law_rewind, password: !secret rewind_password }',
    breaks: [
      fresh,
      { title: 'may not read', script: as('DROP OWNED BY law_rewind; ALTER ROLE law_rewind REPLICATION') },
    ],
  },
  {
    host: 'server1',
    resource: 'rewind_source: { name: law_rewind, state: absent }',
    breaks: [{ title: 'is left over' }],
  },
  { host: 'server1', resource: 'slot: { name: law }', breaks: [fresh] },
  { host: 'server1', resource: 'slot: { name: law, state: absent }', breaks: [{ title: 'is left over' }] },
  {
    host: 'server1',
    resource: 'settings server',
    breaks: [
      { title: 'were edited', script: `echo "log_line_prefix = 'x'" >> ${dataDir}/postgresql.conf` },
      {
        title: 'are overruled by ALTER SYSTEM',
        script: `${as("ALTER SYSTEM SET wal_sender_timeout = '9s'")}; ${as('SELECT pg_reload_conf()')} >/dev/null; sleep 0.2`,
      },
      { title: 'were written and not read', script: `touch ${dataDir}/postgresql.conf` },
      { title: 'are open to all', script: `chmod 0644 ${conf}` },
      { title: 'belong to somebody else', script: `chown root:root ${conf}; chmod 0644 ${conf}` },
      {
        title: 'were edited, read, and put back with their old time',
        script: `cp -p ${conf} /law/conf; sed -i 's/^wal_sender_timeout.*/wal_sender_timeout = 9s/' ${conf}; ${reloaded}; cp -p /law/conf ${conf}`,
      },
      {
        title: 'wait for a restart that is not needed',
        script: `echo 'max_wal_senders = 12' >> ${conf}; ${reloaded}`,
      },
      {
        title: 'wait for a restart because of ALTER SYSTEM',
        script: `${as("ALTER SYSTEM SET max_wal_senders = '13'")}; ${reloaded}`,
      },
      {
        title: 'were reset by ALTER SYSTEM and not read',
        script: `${as("ALTER SYSTEM SET wal_sender_timeout = '9s'")}; ${reloaded}; ${as('ALTER SYSTEM RESET wal_sender_timeout')}`,
      },
      {
        title: 'hold a value that is none',
        script: `sed -i 's/^wal_level = .*/wal_level = bogus/' ${conf}; ${reloaded}`,
      },
      {
        title: 'are overruled in what the controller manages',
        script: as("ALTER SYSTEM SET primary_conninfo = 'host=192.0.2.1 password=law'"),
      },
    ],
  },
  {
    host: 'server1',
    resource: "settings: { name: law, values: { wal_buffers: '8MB' } }",
    breaks: [{ title: 'want a restart' }],
  },
  { host: 'server1', resource: 'settings server', breaks: [{ title: 'hold what is wanted no more' }] },
  {
    host: 'server1',
    resource: 'hba',
    breaks: [
      { title: 'were edited', script: `echo 'host all all 192.0.2.0/24 reject' >> ${dataDir}/pg_hba.conf` },
      { title: 'were written and not read', script: `touch ${dataDir}/pg_hba.conf` },
      { title: 'let everybody in', script: `echo 'host all all 192.0.2.0/24 trust' >> ${hba}` },
      { title: 'stand in another order', script: `tac ${hba} > /law/hba; cat /law/hba > ${hba}` },
      { title: 'have an error', script: `echo 'host all nonsense' >> ${hba}` },
      { title: 'are open to all', script: `chmod 0644 ${hba}` },
      { title: 'belong to somebody else', script: `chown root:root ${hba}` },
    ],
  },
  {
    host: 'server2',
    resource: 'standby',
    breaks: [
      {
        title: 'is gone',
        script: `systemctl stop ${unit}; find ${dataDir} -mindepth 1 -delete; rm ${managementDir}/server2.system`,
      },
    ],
  },
  // Its files, for a rebuild: what follows makes it run again.
  {
    host: 'server2',
    resource: `rebuild: { primary: server1, host: '{{primary.logTransferAddress}}', port: 27500, user: pgduet_repl, slot: '{{host.copySlot}}', rewind_user: law }`,
    breaks: [
      {
        title: 'is a standby that does not stream',
        script: `touch ${dataDir}/postmaster.opts; chown postgres: ${dataDir}/postmaster.opts`,
      },
      {
        title: 'was left in the middle of a rewind',
        script: `echo rewind > ${managementDir}/server2.making`,
      },
    ],
  },
  { host: 'server2', resource: 'settings server', breaks: [{ title: 'are those of the primary' }] },
  {
    host: 'server2',
    resource: 'controller running',
    breaks: [
      { title: 'does not run' },
      { title: 'has older files', script: `touch ${managementDir}/network.conf` },
      { title: 'is an older program', script: 'touch /usr/local/lib/pgduet/mc.cjs' },
    ],
  },
  {
    host: 'server2',
    resource: `settlement: { heirs: [server1, server2], bundle: /usr/local/lib/pgduet/mc.cjs, unit: ${unit} }`,
    breaks: [{ title: 'is to be ended, and its controller does not run', script: `systemctl stop ${unit}` }],
  },
  {
    host: 'server1',
    resource: `adopt: { values: { port: 27500 }, standbys: server2, addresses: x, roles: x }`,
    // The controller edits postgresql.conf as long as the standby, which was stopped above, comes back.
    breaks: [{ title: 'is not recorded', script: `${untilSync}; rm ${managementDir}/server1.system` }],
  },
  {
    host: 'server1',
    resource: `takeover: { unit: ${unit}, values: { port: 27500 } }`,
    breaks: [{ title: 'is not handed over' }],
  },
  {
    host: 'server1',
    resource: `second_record: { unit: ${unit} }`,
    breaks: [
      { title: 'is not beside the data', script: `rm ${dataDir}/pgduet.before.server1.*.json` },
      {
        title: 'says something else',
        script: `echo >> ${managementDir}/server1.before.json; sed -i 's/"at": /"at": 1/' ${dataDir}/pgduet.before.server1.*.json`,
      },
      { title: 'is the one that is left', script: `rm ${managementDir}/server1.before.json` },
    ],
  },
  { host: 'server1', resource: 'slot pgduet_copy_server2', breaks: [{ title: 'is left over' }] },
  {
    host: 'server1',
    resource: 'replication streaming server2',
    breaks: [{ title: 'has nobody', ...stopStandby }],
  },
  {
    host: 'server1',
    resource: 'replication sync server2',
    breaks: [{ title: 'has nobody', ...stopStandby }],
  },
  {
    host: 'server1',
    resource:
      "logins: { to: { server2: 'host={{target.logTransferAddress}} port=27500 user=pgduet_repl dbname=replication replication=true' } }",
    breaks: [
      {
        title: 'are not let in',
        script: 'mv /var/lib/postgresql/.pgpass /var/lib/postgresql/.pgpass.law',
        meanwhile: 'sleep 1; mv /var/lib/postgresql/.pgpass.law /var/lib/postgresql/.pgpass',
      },
    ],
  },
  {
    host: 'server1',
    resource:
      "served: { ca: /law-tls/pem, certificate: /law-tls/pem, key: /law-tls/key, host: '{{host.logTransferAddress}}' }",
    breaks: [
      {
        title: 'is not in force yet',
        script: `${newPair}; printf "ssl = on\\nssl_cert_file = '/law-tls/pem'\\nssl_key_file = '/law-tls/key'\\n" >> ${conf}`,
      },
      { title: 'was replaced', script: newPair },
    ],
  },
  // The server shows the pair of the law before.
  {
    host: 'server1',
    resource: "tls_former: { beside: '~', host: '{{host.logTransferAddress}}' }",
    breaks: [
      {
        title: 'is there',
        script: `rm -rf ${lawTls}; for n in fedcba9876543210 0123456789abcdef; do install -d -m 700 -o postgres ${lawTls} ${lawTls}/$n
install -m 600 -o postgres /law-tls/key ${lawTls}/$n/server.key; install -m 600 -o postgres /law-tls/pem ${lawTls}/$n/server.pem; done`,
      },
    ],
  },
  {
    host: 'server1',
    resource: "tls_key: { beside: '~', host: '{{host.logTransferAddress}}', wanted: true }",
    breaks: [{ title: 'is not there', script: `rm -rf ${lawTls}; install -d -m 700 -o postgres ${lawTls}` }],
  },
  {
    host: 'server1',
    resource: `tls_pair: { beside: '~', host: '{{host.logTransferAddress}}', certificate: ${JSON.stringify(lawCertificate)} }`,
    breaks: [
      {
        title: 'is a key without its certificate',
        script: `rm -rf ${lawTls}; install -d -m 700 -o postgres ${lawTls} ${lawTls}/request
install -m 600 -o postgres /dev/null ${lawTls}/request/server.key; printf '%s' '${lawKey}' > ${lawTls}/request/server.key`,
      },
    ],
  },
  {
    host: 'server1',
    resource: `memory: { system_identifier: '{{#if cluster.systemIdentifier}}{{cluster.systemIdentifier}}{{else}}1{{/if}}', by: server2, by_address: '{{target.logTransferAddress}}', by_port: 27500, unit: '{{host.unit}}' }`,
    breaks: [{ title: 'does not say whose data it is', script: `rm ${managementDir}/server1.system` }],
  },
  {
    host: 'server2',
    resource: 'duty told',
    breaks: [
      {
        title: 'is another one',
        script: `sed -i.law 's/^takeover_priority = .*/takeover_priority = 7/' ${managementDir}/server2.conf; systemctl reload ${unit}; sleep 2`,
        meanwhile: `mv ${managementDir}/server2.conf.law ${managementDir}/server2.conf; systemctl reload ${unit}`,
      },
    ],
  },
  {
    host: 'server1',
    resource: 'mirroring switchable',
    breaks: [{ title: 'lost the standby', ...stopStandby }],
  },
  {
    host: 'server2',
    resource: `reloaded: { unit: ${unit} }`,
    breaks: [
      { title: 'is older than a file of the instance', script: `sleep 0.1; touch ${hba}` },
      { title: 'is older than a file of the controller', script: `touch ${managementDir}/network.conf` },
    ],
  },
  {
    host: 'server2',
    resource: 'restarted: {}',
    breaks: [
      {
        title: 'is waited for',
        script: `${untilSwitchable}; ${as('ALTER SYSTEM SET max_files_per_process = 999')}; ${reloaded}`,
      },
    ],
  },
  {
    host: 'server2',
    resource: `stopped: { unit: ${unit}, by: law, names: [server2] }`,
    breaks: [
      { title: 'runs', script: untilSwitchable },
      {
        title: 'is down without a word',
        script: `rm ${managementDir}/server2.stopped; systemctl --quiet enable ${unit}`,
      },
    ],
  },
  {
    host: 'server2',
    resource: `stopped: { state: released, unit: ${unit} }`,
    breaks: [
      { title: 'is kept down' },
      {
        title: 'runs, and would not with its host',
        script: `echo torn > ${managementDir}/server2.stopped; systemctl --quiet disable ${unit}; systemctl start ${unit}; ${untilSwitchable}`,
      },
    ],
  },
  { host: 'server1', resource: `failover: { state: 'off' }`, breaks: [{ title: 'is on' }] },
  { host: 'server2', resource: `failover: { state: 'on' }`, breaks: [{ title: 'is off' }] },
  {
    host: 'server1',
    resource: 'detachment: { server: server2, state: out, alone: true }',
    breaks: [{ title: 'is in' }],
  },
  {
    host: 'server1',
    resource: 'detachment: { server: server2, state: in }',
    breaks: [{ title: 'is out' }],
  },
  {
    host: 'server1',
    resource: 'maintenance: { server: server2, state: open, by: law, alone: true }',
    breaks: [{ title: 'is not out' }],
  },
  {
    host: 'server1',
    resource: 'maintenance: { server: server2, state: over, by: law }',
    breaks: [{ title: 'is out' }],
  },
  {
    host: 'server2',
    resource: `renewal: { path: ${renewalPath}, owner: postgres, secret: !secret renewal }`,
    breaks: [
      fresh,
      {
        title: 'names others, and is open to all',
        script: `echo x > ${renewalPath}; chmod 0644 ${renewalPath}`,
      },
    ],
  },
  {
    host: 'server2',
    resource: `cluster_keys: { unit: ${unit}, hears: [${bothMarks}], renewal: known }`,
    breaks: [fresh],
  },
  {
    host: 'server2',
    resource: `renewal: { path: ${renewalPath}, owner: postgres, state: absent }`,
    breaks: [fresh],
  },
  {
    host: 'server2',
    resource: `cluster_keys: { unit: ${unit}, speaks: ${clusterMark(lawKeys.from)}, hears: [${clusterMark(lawKeys.from)}], renewal: forgotten }`,
    breaks: [
      {
        title: 'has read a file that is gone',
        script: `install -o postgres -m 600 /dev/null ${renewalPath}; echo '{"format":1}' > ${renewalPath}; systemctl reload ${unit}; sleep 1; rm ${renewalPath}`,
      },
    ],
  },
  {
    host: 'server1',
    resource: 'identities proven',
    breaks: [
      {
        title: 'waits for another key',
        script: `cp -p ${identitiesPath} ${identitiesPath}.law
node -e '${anotherKey}' ${identitiesPath}; systemctl reload ${unit}; sleep 1`,
        meanwhile: `sleep 1; mv ${identitiesPath}.law ${identitiesPath}; systemctl reload ${unit}`,
      },
    ],
  },
  // Behind it the other controllers would not know this one: it is the last.
  {
    host: 'server2',
    resource: 'identity_key: {}',
    breaks: [
      { title: 'is open to others', script: `chmod 0640 ${managementDir}/identity.key` },
      { title: 'is not there', script: `rm ${managementDir}/identity.key` },
    ],
  },
];

/** Those of the arbiter, and of a server that hears it. */
const arbitrating: readonly Law[] = [
  {
    host: 'arb1',
    resource: 'arbiter /mcarb/arbiter',
    breaks: [
      { title: 'does not run', script: 'systemctl stop mcarb_arbiter' },
      {
        title: 'has not read a file of the cluster',
        script: 'touch /mcarb/arbiter/clusters/inst1/network.conf',
      },
      { title: 'runs with another port', script: 'touch /mcarb/arbiter/arbitration.conf' },
    ],
  },
  {
    host: 'server2',
    resource: 'register named',
    breaks: [
      {
        title: 'lost the arbiter',
        on: 'arb1',
        script: `systemctl stop mcarb_arbiter; n=0; until runuser -u postgres -- mc_ctl status --arbiter -M ${managementDir} | grep -q offline || [ $n -gt 100 ]; do n=$((n + 1)); sleep 0.2; done; sleep 1`,
        meanwhile: 'systemctl --no-block start mcarb_arbiter',
      },
    ],
  },
  {
    host: 'arb1',
    resource:
      'renewal: { path: /mcarb/arbiter/clusters/inst1/renewal.json, owner: mcarb, secret: !secret arbiter_renewal }',
    breaks: [fresh],
  },
  { host: 'arb1', resource: `arbiter_keys: { ${arbiterPlace}, hears: [${bothMarks}] }`, breaks: [fresh] },
  {
    host: 'arb1',
    resource: `arbiter_keys: { ${arbiterPlace}, hears: [${clusterMark(lawKeys.from)}], only: true }`,
    breaks: [{ title: 'hears two', script: 'rm /mcarb/arbiter/clusters/inst1/renewal.json' }],
  },
];

/** What a person has to mend: it is reported, nothing is done about it, and the way back leaves no trace. */
interface Tale {
  readonly title: string;
  readonly host: string;
  readonly resource: string;
  readonly codes: readonly string[];
  readonly script: string;
  readonly undo: string;
}

const withLine = (line: string): Pick<Tale, 'script' | 'undo'> => ({
  script: `cp -p ${conf} /law/conf; echo ${JSON.stringify(line)} >> ${conf}; ${reloaded}`,
  undo: `cp /law/conf ${conf}; rm -f ${dataDir}/law.inc; ${reloaded}`,
});
const withIncluded = (line: string): Pick<Tale, 'script' | 'undo'> => {
  const { script, undo } = withLine("include 'law.inc'");
  return { script: `echo ${JSON.stringify(line)} > ${dataDir}/law.inc; ${script}`, undo };
};
const mcCtl = (verb: string): string =>
  `runuser -u postgres -- mc_ctl ${verb} -M ${managementDir} >/dev/null`;

const tales: readonly Tale[] = [
  {
    title: 'an included file over a setting',
    host: 'server1',
    resource: 'settings server',
    codes: ['SET003'],
    ...withIncluded("log_line_prefix = 'law'"),
  },
  {
    title: 'an included file over a setting that only a restart brings into force',
    host: 'server1',
    resource: 'settings server',
    codes: ['SET003'],
    ...withIncluded('max_wal_senders = 14'),
  },
  {
    title: 'an included file over what the controller manages',
    host: 'server1',
    resource: 'settings server',
    codes: ['SET011'],
    ...withIncluded("primary_conninfo = 'host=192.0.2.1'"),
  },
  {
    title: 'a line that the server does not know',
    host: 'server1',
    resource: 'settings server',
    codes: ['SET008'],
    ...withLine('law_unknown = 1'),
  },
  {
    title: 'a line that nobody can read',
    host: 'server1',
    resource: 'settings server',
    codes: ['SET008'],
    ...withLine('this is = no line'),
  },
  {
    title: 'a role with another value',
    host: 'server1',
    resource: 'settings server',
    codes: ['SET005', 'SET005', 'SET005'],
    script: as(
      "ALTER ROLE postgres IN DATABASE postgres SET password_encryption = 'md5'; ALTER DATABASE postgres SET password_encryption = 'md5'; ALTER ROLE ALL SET password_encryption = 'md5'",
    ),
    undo: as(
      'ALTER ROLE postgres IN DATABASE postgres RESET password_encryption; ALTER DATABASE postgres RESET password_encryption; ALTER ROLE ALL RESET password_encryption',
    ),
  },
  {
    title: 'rules that were read although the other file has an error',
    host: 'server1',
    resource: 'hba',
    codes: [],
    script: `${withLine('law_unknown = 1').script}; touch ${hba}`,
    undo: withLine('').undo,
  },
  {
    title: 'switching that was turned off',
    host: 'server2',
    resource: 'mirroring switchable',
    codes: ['CTL004'],
    script: mcCtl('disable-failover'),
    undo: mcCtl('enable-failover'),
  },
];

/** There and back; what a switch leaves in postgresql.conf is the controller's, so these come last. */
const switches: readonly Law[] = [
  {
    host: 'server1',
    resource: `switchover: { to: server2 }`,
    breaks: [{ title: 'is primary itself' }],
  },
  {
    host: 'server2',
    resource: `switchover: { to: server1 }`,
    breaks: [{ title: 'is primary itself', script: untilSwitchable }],
  },
];

/**
 * The end of the standby and of the pair, so these come last of all. Data is deleted only on a server that has stopped, and
 * `single` needs the management directory that `forgotten` deletes.
 */
const endings: readonly Law[] = [
  {
    host: 'server1',
    resource: "line: { path: /etc/services, line: 'law 1/tcp', state: absent }",
    breaks: [{ title: 'is left over', script: "printf 'law\\t2/tcp\\n' >> /etc/services" }],
  },
  {
    host: 'server1',
    resource:
      'passfile: { owner: postgres, host: 192.0.2.1, port: 1, database: replication, user: law, state: absent }',
    breaks: [{ title: 'is left over', script: "echo '192.0.2.1:1:replication:law:x' >> ~postgres/.pgpass" }],
  },
  {
    host: 'server1',
    resource: 'former_passwords: { user: law, addresses: [192.0.2.1], ports: [27500] }',
    place: { dataDir: '/law/pg', managementDir: '/law' },
    breaks: [
      {
        title: 'are left over',
        script:
          "install -d -o postgres -m 700 /law; echo \"log_transfer_addresses = 'a=192.0.2.2, b=fd00::1'\" > /law/server1.conf; chown postgres: /law/server1.conf; printf '%s\\n' '192.0.2.2:27500:replication:law:x' 'fd00\\:\\:1:27500:postgres:law:y' '192.0.2.1:27500:replication:law:z' >> ~postgres/.pgpass",
      },
    ],
  },
  {
    host: 'server1',
    resource: 'gone: { path: /law-gone, except: [going] }',
    breaks: [
      { title: 'is a file', script: 'touch /law-gone' },
      { title: 'is a link to nothing', script: 'ln -s /nowhere /law-gone' },
      { title: 'is an empty directory', script: 'mkdir /law-gone' },
    ],
  },
  {
    host: 'server2',
    resource: `uncontrolled: { unit: ${unit} }`,
    breaks: [{ title: 'is in charge' }],
  },
  {
    host: 'server2',
    resource: `retired: { unit: ${unit} }`,
    breaks: [
      { title: 'runs' },
      {
        title: 'has a unit that would start it',
        script: `printf '[Service]\\nExecStart=/bin/true\\n' > /etc/systemd/system/${unit}.service; systemctl daemon-reload`,
      },
      {
        title: 'was started by hand',
        script: `runuser -u postgres -- /usr/lib/postgresql/15/bin/pg_ctl start -sw -D ${dataDir} >/dev/null`,
      },
    ],
  },
  {
    host: 'server1',
    resource: `holds: { server: server2, system_identifier: '{{cluster.systemIdentifier}}', position: 0/18000000, timeline: 3 }`,
    breaks: [
      {
        title: 'had no checkpoint since',
        script: `until [ "$(${as("SELECT pg_current_wal_flush_lsn() > '0/18000000'").replace('-qXp', '-qXAtp')})" = t ]; do ${as('SELECT pg_logical_emit_message(true, 1::text, 2::text); SELECT pg_switch_wal()')} >/dev/null; done`,
      },
    ],
  },
  {
    host: 'server2',
    resource: `erased: { keeper: server1, system_identifier: '{{cluster.systemIdentifier}}', serves: true }`,
    breaks: [
      { title: 'is a stopped standby' },
      {
        title: 'was half deleted',
        script: `install -d -o postgres -m 700 ${dataDir} ${dataDir}/base ${dataDir}/base/1; runuser -u postgres -- touch ${dataDir}/base/1/1`,
      },
    ],
  },
  {
    host: 'server2',
    resource: `forgotten: {}`,
    breaks: [
      { title: 'is whole' },
      {
        title: 'was half deleted',
        script: `install -d -o postgres -m 700 ${managementDir}; touch ${managementDir}/network.conf`,
      },
    ],
  },
  {
    host: 'server1',
    resource: `single: { unit: ${unit}, plain_unit: postgresql_inst1, plain_template: postgresql.service.hbs, hba_template: pg_hba.single.hbs, staying: '{{teardown.staying}}', roles: '{{cluster.replicationUser}}', slots: law_slot }`,
    breaks: [
      {
        title: 'is multiplexed',
        // What `adopt` has recorded above was no single server.
        script: `rm -f ${managementDir}/server1.before.json ${dataDir}/pgduet.json ${dataDir}/pgduet.before.*.json; ${as("SELECT pg_create_physical_replication_slot('law_slot')")}`,
      },
      { title: 'was interrupted while it was down', script: 'systemctl stop postgresql_inst1' },
      {
        title: 'has its drop-in still',
        script: `mkdir -p /etc/systemd/system/postgresql_inst1.service.d; printf '[Unit]\\nConditionPathExists=${managementDir}/server1.former\\n' > /etc/systemd/system/postgresql_inst1.service.d/pgduet.conf; systemctl daemon-reload`,
      },
    ],
  },
];

/** Other clusters keep the arbiter; with the last one it goes. */
const dismissals: readonly Law[] = [
  {
    host: 'arb1',
    resource:
      'dismissed: { directory: /mcarb/arbiter, cluster: inst1, owner: mcarb, unit: mcarb_arbiter, mc_arb: /usr/local/bin/mc_arb }',
    breaks: [
      {
        title: 'serves another cluster, too',
        script:
          'cd /mcarb/arbiter/clusters; cp -rp inst1 other; rm -f other/cell.json; od -An -tx1 -N32 /dev/urandom | tr -d " \\n" > other/arbiter.key; systemctl reload mcarb_arbiter',
      },
      { title: 'serves nobody else any more', script: 'rm -r /mcarb/arbiter/clusters/other' },
    ],
  },
];

/** Kinds that never change anything: their steps are none, and what they see is the same or refused. */
const onlyLook = [
  'alone',
  'certificate',
  'controller_version',
  'copy_target',
  'names',
  'port',
  'program',
  'room',
  'runnable',
  'writable',
];

/**
 * Paths, times, sizes, modes and owners of everything that a probe could have touched. Left out is what moves by itself:
 * logs of logins and of systemd, and what a running server and its controller write all the time.
 */
const snapshotScript = `find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /var/log/journal \
 -o -path '/var/log/[wb]tmp*' -o -path '/var/log/lastlog*' -o -path /var/lib/systemd \
 -o -path '${dataDir}/*' -a ! -name '*.conf' -a ! -name '*.signal' -a ! -name PG_VERSION \
 -o -path '${managementDir}/*-log' -o -path '${managementDir}/*.state*' -o -path '${managementDir}/*.status.json*' \\) -prune \
 -o ! -path ${dataDir} ! -path ${managementDir} -printf '%p %y %m %u:%g %s %T@ %C@\\n' | LC_ALL=C sort
if [ -e ${dataDir}/postmaster.pid ]; then
runuser -u postgres -- pg_dumpall -p 27500 --globals-only | grep -v '^.restrict\\|^.unrestrict'
${as("SELECT slot_name, slot_type FROM pg_replication_slots; SELECT name, setting, pending_restart FROM pg_settings WHERE name !~ 'in_hot_standby' ORDER BY 1; SELECT datname FROM pg_database; SELECT oid, relname FROM pg_class WHERE relpersistence <> 't'")}
fi`;

describeLab('the two laws', () => {
  let lab: Lab;
  let transport: Transport;
  let cluster: Cluster;
  let view: View;
  const hosts = new Map<string, Host>();
  const sessions = new Map<string, Session>();
  let nonces = 0;
  const nonce = (): string => {
    nonces += 1;
    return `law${nonces}nonce`;
  };

  const hostOf = (name: string): Host => {
    const host = hosts.get(name);
    if (!host) throw new Error(`no lab host ${name}`);
    return host;
  };
  /** The bare host is no part of the pair: it is addressed as the primary would be. */
  const described = (name: string): Server => {
    const found = cluster.servers.find((server) => server.name === name) ?? cluster.servers[0];
    if (!found) throw new Error('no servers');
    if (name === found.name) return found;
    return { ...found, name, host: { ...found.host, name, address: hostOf(name).address } };
  };
  const sessionOf = async (name: string): Promise<Session> => {
    const session = sessions.get(name) ?? (await transport.open(described(name).host));
    sessions.set(name, session);
    return session;
  };

  beforeAll(async () => {
    built();
    lab = await Lab.open();
    const [pair, bare] = await Promise.all([
      lab.hosts(2, { names: ['server1', 'server2'] }),
      lab.hosts(1, { names: ['bare'], image: 'debian12-bare' }),
    ]);
    for (const host of [...pair, ...bare]) hosts.set(host.name, host);
    // The arbiter shares the machine of server1, and is addressed by a name of its own.
    const [first, second] = pair;
    hosts.set('arb1', first);
    const loaded = await loadInventory(
      inventory(lab, pair, {
        multiplexing: { on_heartbeat_loss: undefined },
        hosts: {
          server1: { address: first.address, role: 'primary' },
          server2: { address: second.address, role: 'standby' },
          arb1: { address: first.address, role: 'arbiter' },
        },
      }),
    );
    if (!loaded.ok) throw new Error(loaded.diagnostics.map(({ what }) => what).join('\n'));
    cluster = loaded.value.cluster;
    view = preferredView(cluster);
    transport = openTransport({ acceptNewHostKeys: false, env: { home: lab.dir, user: 'root' } });
  });
  afterAll(async () => {
    await Promise.all([...sessions.values()].map((session) => session.close()));
    await lab?.close();
  });

  /** Decides one resource by a look of its own. */
  async function decide(name: string, resource: Resource): Promise<Decision> {
    const probe = resource.kind.probe(resource.desired);
    const seen = await look(await sessionOf(name), described(name), [probe], nonce());
    const reply = answerTo(seen, probe);
    if (!reply) throw new Error('no answer');
    const alone = { ...resource, after: [], late: false };
    const [decision] = makePlan([
      { resource: alone, observed: resource.kind.read(reply, resource.desired) },
    ]).decisions;
    if (!decision) throw new Error('no decision');
    return decision;
  }

  /** The steps of a change, and the reload or restart that it asks for. */
  async function carryOut(name: string, decision: Decision): Promise<void> {
    const [batch] = nextBatch({ decisions: [decision] });
    if (!batch) throw new Error('nothing to carry out');
    const server = described(name);
    const steps = batchSteps(batch, effectPlace(server, view));
    const script = batchScript(hostPreamble(server), steps, '', nonce());
    const reply = await (await sessionOf(name)).run(script);
    expect(reply.status, reply.stderr).toBe(0);
  }

  /** The cluster with one server in another place. */
  const moved = (
    name: string,
    { dataDir: elsewhere, managementDir: management }: NonNullable<Law['place']>,
  ) => ({
    ...cluster,
    servers: cluster.servers.map((server) =>
      server.name === name
        ? {
            ...server,
            postgres: { ...server.postgres, dataDir: elsewhere },
            multiplexing: { ...server.multiplexing, managementDir: management },
          }
        : server,
    ),
  });

  function find({ host, resource, place }: Law): Resource {
    const own = resource.includes('{');
    const text = own
      ? `plays:\n  - on: ${cluster.hosts.some((one) => one.name === host) ? host : 'primary'}\n    resources:\n      - ${resource}\n`
      : playbookText;
    const found = compiled(text, place ? moved(host, place) : cluster, view).find(
      (one) => own || (one.host === host && (one.id === resource || one.kind.kind === resource)),
    );
    if (!found) throw new Error(`no resource ${resource} on ${host}`);
    return found;
  }

  const everyProbe = (name: string): readonly Probe[] => {
    const server = described(name);
    const resources = [
      ...[playbookText, switchText].flatMap((text) =>
        compiled(text, cluster, view).filter((one) => one.host === server.name || name === 'bare'),
      ),
      ...[...laws, ...endings].filter((law) => law.host === name && law.resource.includes('{')).map(find),
    ];
    return [
      ...Object.values(surveyProbes(cluster, server)),
      ...Object.values(statusProbes(server, mcCtlPath(server, view))),
      ...resources.map((resource) => resource.kind.probe(resource.desired)),
    ];
  };

  /** The same twice: what a first connection leaves behind would show in the second one too. */
  async function expectNothingChanges(name: string): Promise<void> {
    const session = await sessionOf(name);
    const before = (await hostOf(name).sh(snapshotScript)).stdout.split('\n');
    expect(before.length).toBeGreaterThan(1000);
    const probes = everyProbe(name);
    await look(session, described(name), probes, nonce());
    const after = (await hostOf(name).sh(snapshotScript)).stdout.split('\n');
    const had = new Set(before);
    const has = new Set(after);
    expect({
      gone: before.filter((line) => !has.has(line)),
      come: after.filter((line) => !had.has(line)),
    }).toEqual({ gone: [], come: [] });
  }

  labTest('are proven for every kind of the registry', async () => {
    const proven = [...laws, ...arbitrating, ...switches, ...endings, ...dismissals].map(
      ({ resource }) => resource.split(/[: ]/)[0] ?? '',
    );
    expect([...new Set([...proven, ...onlyLook])].sort()).toEqual([...kinds.keys()].sort());
  });

  describe('a probe changes nothing', () => {
    labTest('on a host without PostgreSQL', () => expectNothingChanges('bare'));
    labTest('on a host where nothing has been made', () => expectNothingChanges('server1'));

    labTest('on the hosts of a pair', async () => {
      const outcome = await run(
        {
          cluster,
          intent: { kind: 'provision' },
          compile: (seen) => ({ ok: true, value: compiled(playbookText, cluster, seen) }),
          effectPlace,
          change: true,
          confirm: async () => true,
          lockOwner: 'the laws',
        },
        {
          transport,
          emit: () => undefined,
          now: () => performance.now(),
          clockMs: () => Date.now(),
          nonce,
          interrupted: new AbortController().signal,
          remember: () => undefined,
        },
      );
      expect(outcome.changed.length).toBeGreaterThan(0);
      const views = await Promise.all(
        cluster.servers.map(async (server) => {
          const probes = Object.values(surveyProbes(cluster, server));
          const answers = await look(await sessionOf(server.name), server, probes, nonce());
          const replies = surveyReplies(cluster, server, (probe) => answerTo(answers, probe));
          return [server.name, readHostView(replies)] as const;
        }),
      );
      const found = survey(cluster, new Map(views));
      if ('refused' in found) throw new Error(found.refused.what);
      view = found.view;
      await expectNothingChanges('server1');
      await expectNothingChanges('server2');
      await expectNothingChanges('arb1');
    });
  });

  describe('after its steps it is the same', () => {
    const prove = (law: Law): void => {
      // It is another one in each run, and a test has one name.
      const shown = law.resource.replace(JSON.stringify(lawCertificate), 'PEM');
      for (const { title, script, on, meanwhile } of law.breaks) {
        labTest(`${shown} of ${law.host}, which ${title}`, async () => {
          const resource = find(law);
          const broken = hostOf(on ?? law.host);
          if (script) await broken.sh(script, { check: true });
          let decision = await decide(law.host, resource);
          // Who waits for another host learns of its loss a little later.
          for (let times = 0; resource.kind.waits && decision.kind === 'same' && times < 100; times += 1)
            decision = await decide(law.host, resource);
          expect(decision).toMatchObject({ kind: 'change' });
          if (meanwhile) await broken.sh(meanwhile, { check: true });
          await carryOut(law.host, decision);
          const after = await decide(law.host, resource);
          expect(after.kind === 'change' ? after.change.reason : after.kind).toBe('same');
        });
      }
    };
    for (const law of [...laws, ...arbitrating]) prove(law);

    for (const tale of tales)
      labTest(`${tale.title} is told, and left`, async () => {
        const resource = find({ ...tale, breaks: [] });
        expect(await decide(tale.host, resource)).toMatchObject({ kind: 'same' });
        await hostOf(tale.host).sh(tale.script, { check: true });
        const decision = await decide(tale.host, resource);
        await hostOf(tale.host).sh(tale.undo, { check: true });
        expect(decision).toMatchObject({ kind: 'same' });
        const told = decision.kind === 'same' ? (decision.differences ?? []) : [];
        expect(told.map(({ code }) => code)).toEqual(tale.codes);
        const after = await decide(tale.host, resource);
        expect(after).toMatchObject({ kind: 'same' });
        expect(after.kind === 'same' ? after.differences : []).toBeUndefined();
      });

    labTest('port, program and room never have steps', async () => {
      const mine = [playbookText, switchText]
        .flatMap((text) => compiled(text, cluster, view))
        .filter(({ kind }) => onlyLook.includes(kind.kind));
      expect(mine.length).toBeGreaterThan(2);
      for (const resource of mine) {
        expect(await decide(resource.host, resource)).toMatchObject({ kind: 'same' });
        expect(resource.kind.steps({ summary: '', reason: '' }, resource.desired)).toEqual([]);
      }
    });

    labTest('a running service shows whether it was started from the present text of its unit', async () => {
      const resource = find({ host: 'server2', resource: `unit ${unit}`, breaks: [] });
      const told = async (): Promise<readonly string[]> => {
        const decision = await decide('server2', resource);
        const found = decision.kind === 'change' ? decision.change : decision;
        return 'differences' in found ? (found.differences ?? []).map(({ code }) => code) : [];
      };
      const sh = (script: string) => hostOf('server2').sh(script, { check: true });
      expect(await told()).toEqual([]);
      await sh(`sed -i /PGDUET_UNIT=/d ${unitPath}; systemctl daemon-reload; systemctl restart ${unit}`);
      expect(await told()).toEqual(['UNT002', 'UNT005']);
      await carryOut('server2', await decide('server2', resource));
      expect(await told()).toEqual(['UNT005']);
      await sh(`systemctl restart ${unit}`);
      expect(await told()).toEqual([]);
      await sh(untilSwitchable);
    });

    labTest('and nothing is left to do for the whole playbook', async () => {
      const resources = compiled(playbookText, cluster, view);
      const observations = await Promise.all(
        cluster.servers.map(async (server) => {
          const mine = resources.filter((one) => one.host === server.name);
          const probes = mine.map((one) => one.kind.probe(one.desired));
          const seen = await look(await sessionOf(server.name), server, probes, nonce());
          return mine.flatMap((resource, index) => {
            const reply = answerTo(seen, probes[index] ?? {});
            return reply ? [{ resource, observed: resource.kind.read(reply, resource.desired) }] : [];
          });
        }),
      );
      const plan = makePlan(observations.flat());
      expect(pending(plan).map((one) => `${one.resource.host}: ${one.resource.id}`)).toEqual([]);
      expect(isEmpty(plan)).toBe(true);
    });

    for (const law of switches) prove(law);
    for (const law of [...endings, ...dismissals]) prove(law);
  });
});
