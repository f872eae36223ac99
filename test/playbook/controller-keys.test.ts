/**
 * Keys of <host>.conf that the inventory hands on: what it accepts, for all servers or for one, the controller's own parser reads back,
 * with the same default; and an inventory that says nothing of them gives the files that it gave before there were such keys.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ServerConf, serverKeys } from '../../src/controller/config.ts';
import { parseServerConf } from '../../src/controller/config-parse.ts';
import {
  type ControllerKey,
  controllerKeyNames,
  derivedKeys,
  timeForms,
} from '../../src/inventory/controller-keys.ts';
import { preferredView } from '../../src/observe/survey.ts';
import { render } from '../../src/playbook/render.ts';
import { variablesFor } from '../../src/playbook/variables.ts';
import { clusterOf, pairInventory, serverNamed } from '../observe/cluster.ts';

const second = 1000;
/** For each key a value that is not its default, how it stands in the file, and what the controller makes of it. */
const samples: {
  readonly [Key in ControllerKey]: readonly [string | number, string, string | number];
} = {
  target_db: ['template1', "'template1'", 'template1'],
  db_instance_check_interval: ['2s', '2000', 2 * second],
  db_instance_check_timeout: ['400ms', '400ms', 400],
  db_instance_check_retry: [5, '5', 5],
  db_instance_timeout_action: ['failover', 'failover', 'failover'],
  db_instance_failover_delay: ['90s', '90', 90 * second],
  disk_check_interval: ['5s', '5000', 5 * second],
  disk_check_timeout: ['1min', '60', 60 * second],
  disk_check_retry: [0, '0', 0],
  tablespace_directory_error_action: ['failover', 'failover', 'failover'],
  remote_call_timeout: ['0s', '0', 0],
  agent_alive_timeout: ['2min', '120', 120 * second],
  replay_lag_warning: [64, '64', 64 * 1024 ** 2],
  arbitration_command_timeout: ['3s', '3', 3 * second],
  fencing_command: [
    '/usr/local/bin/fence "two words" %d it\'s # \\n',
    `'/usr/local/bin/fence "two words" %d it''s # \\\\n'`,
    '/usr/local/bin/fence "two words" %d it\'s # \\n',
  ],
  fencing_command_timeout: ['1min', '60', 60 * second],
  post_switch_command: [
    '/opt/hooks/switched --jobs on',
    "'/opt/hooks/switched --jobs on'",
    '/opt/hooks/switched --jobs on',
  ],
  pre_detach_command: ['/opt/hooks/out', "'/opt/hooks/out'", '/opt/hooks/out'],
  post_attach_command: ['/opt/hooks/in', "'/opt/hooks/in'", '/opt/hooks/in'],
  state_transition_command_timeout: ['7s', '7', 7 * second],
  syslog_facility: ['LOCAL5', 'LOCAL5', 'LOCAL5'],
  syslog_ident: ['mc_inst1', "'mc_inst1'", 'mc_inst1'],
  core_file_path: ['/var/crash', "'/var/crash'", '/var/crash'],
};

const fieldOf = (key: string): keyof ServerConf => {
  const [field] = Object.entries(serverKeys).find(([, spec]) => spec.key === key) ?? [];
  return field as keyof ServerConf;
};

const template = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../../templates', name), 'utf8');
const golden = (name: string): string => readFileSync(join(import.meta.dirname, 'golden', name), 'utf8');

type Said = Readonly<Record<string, unknown>>;

/** An inventory with these keys under multiplexing, and under that of server1. JSON is YAML. */
const inventoryWith = (all: Said, own: Said = {}): string =>
  pairInventory
    .replace('on_heartbeat_loss: fallback', () => ['on_heartbeat_loss: fallback', ...lines(all)].join(', '))
    .replace('role: primary', () =>
      ['role: primary', `multiplexing: { ${lines(own).join(', ')} }`].join(', '),
    );
const lines = (said: Said): readonly string[] =>
  Object.entries(said).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);

async function variablesOf(inventory: string, server = 'server1') {
  const cluster = await clusterOf(inventory);
  const situation = { cluster, view: preferredView(cluster), intent: { kind: 'provision' } } as const;
  return variablesFor(situation, serverNamed(cluster, server));
}

function rendered(name: string, words: object): string {
  const text = render(template(name), words as Readonly<Record<string, unknown>>, name);
  if (!text.ok) throw new Error(text.diagnostics.map(({ what }) => what).join('; '));
  return text.value;
}

const fileOf = async (inventory: string, server?: string): Promise<string> =>
  rendered('server.conf.hbs', (await variablesOf(inventory, server)).serverConf);

/** As the controller reads it; a mistake in any line is a failure. */
function readBack(text: string): ServerConf {
  const conf = parseServerConf(text, 'server1.conf');
  if (!conf.ok) throw new Error(conf.diagnostics.map(({ what, why }) => `${what}: ${why}`).join('; '));
  return conf.value;
}

interface Documented {
  readonly default?: string | number;
  readonly enum?: readonly string[];
}
const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../schema/inventory.json'), 'utf8'));
const documented: Readonly<Record<string, Documented>> = schema.properties.multiplexing.properties;

describe.each(controllerKeyNames)('multiplexing.%s', (name) => {
  const [given, written, read] = samples[name];

  it('stands in <host>.conf as the inventory gives it, and nothing else changes', async () => {
    const before = (await variablesOf(pairInventory)).serverConf.values;
    const after = (await variablesOf(inventoryWith({ [name]: given }))).serverConf.values;
    expect(after).toEqual({ ...before, [name]: written });
    expect(before[name]).not.toBe(written);
  });

  it('is read back by the controller', async () => {
    const conf = readBack(await fileOf(inventoryWith({ [name]: given })));
    expect(conf[fieldOf(name)]).toBe(read);
    const other = { ...conf, [fieldOf(name)]: undefined };
    expect(other).toEqual({ ...readBack(await fileOf(pairInventory)), [fieldOf(name)]: undefined });
  });

  it('holds for one server where it stands there, in place of what holds for all', async () => {
    const common = inventoryWith({ [name]: given });
    const own = inventoryWith({}, { [name]: given });
    expect(await fileOf(own)).toBe(await fileOf(common));
    expect(await fileOf(own, 'server2')).toBe(await fileOf(pairInventory, 'server2'));
    const standard = documented[name]?.default;
    if (standard === undefined) return;
    const both = inventoryWith({ [name]: given }, { [name]: standard });
    expect(await fileOf(both)).toBe(await fileOf(pairInventory));
    expect(await fileOf(both, 'server2')).toBe(await fileOf(common, 'server2'));
  });

  it('has the words and the default of the controller', async () => {
    const { default: standard, enum: words = [] } = documented[name] ?? {};
    const spec = serverKeys[fieldOf(name)];
    for (const word of words)
      expect([word, spec.read({ text: word, quoted: true }).kind]).toEqual([word, 'value']);
    if (standard === undefined) return expect(spec.fallback).toBeUndefined();
    expect(await fileOf(inventoryWith({ [name]: standard }))).toBe(await fileOf(pairInventory));
    expect(readBack(await fileOf(pairInventory))[fieldOf(name)]).toBe(spec.fallback);
  });
});

it('every key of the controller is declared or derived, or has another name in the inventory', () => {
  const otherwise = ['arbitration_command', 'failover', 'reference_addresses'];
  const known = [...controllerKeyNames, ...Object.keys(derivedKeys), ...otherwise].sort();
  expect(known).toEqual(
    Object.values(serverKeys)
      .map(({ key }) => key)
      .sort(),
  );
  for (const key of otherwise) expect(documented).toHaveProperty(key);
});

describe('any values', () => {
  const most = 2_000_000;
  const word = fc.string({ unit: fc.constantFrom(...' \'"\\%$#=;|&`~abcXYZ019/-_.,'), maxLength: 30 });
  const line = fc
    .array(
      word.map((text) => `"${text.replace(/[\\"]/g, '\\$&')}"`),
      { maxLength: 4 },
    )
    .map((args) => ['/usr/local/bin/a_command', ...args].join(' '));
  const number = (least: number) => fc.integer({ min: least, max: most });
  const anyOf = (name: ControllerKey): fc.Arbitrary<string | number> => {
    const form = timeForms[name];
    const [sample] = samples[name];
    const words = documented[name]?.enum;
    if (form) {
      const least = form.off ? 0 : 1;
      const whole = number(least).map((it) => `${it}s`);
      return form.unit === 's' && !form.finer
        ? whole
        : fc.oneof(
            whole,
            number(least).map((it) => `${it}ms`),
          );
    }
    if (words) return fc.constantFrom(...words);
    if (typeof sample === 'number') return number(0);
    if (name.endsWith('_command')) return line;
    return fc.constant(sample);
  };
  const inMs = (text: string): number => Number.parseInt(text, 10) * (/ms$/.test(text) ? 1 : second);
  const any = fc.record(Object.fromEntries(controllerKeyNames.map((name) => [name, anyOf(name)])), {
    requiredKeys: [],
  });

  it('are read back by the parser of the controller as they were declared', async () => {
    await fc.assert(
      fc.asyncProperty(any, any, async (all, own) => {
        const conf = readBack(await fileOf(inventoryWith(all, own)));
        const standard = readBack(await fileOf(pairInventory));
        for (const name of controllerKeyNames) {
          const said = own[name] ?? all[name];
          const expected =
            said === undefined
              ? standard[fieldOf(name)]
              : timeForms[name]
                ? inMs(`${said}`)
                : name === 'replay_lag_warning'
                  ? Number(said) * 1024 ** 2
                  : said;
          expect([name, conf[fieldOf(name)]]).toEqual([name, expected]);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('what an inventory gave before it could say these keys', () => {
  const inMap = (words: string): string => pairInventory.replace('on_heartbeat_loss: fallback', words);
  it.each([
    ['plain', pairInventory],
    ['fast', inMap('on_heartbeat_loss: fallback, heartbeat: fast')],
    [
      'said',
      inMap(
        'on_heartbeat_loss: command, arbitration_command: /usr/local/bin/ask, reference_addresses: [192.0.2.1], heartbeat: { interval: 300ms, timeout: 400ms, retries: 1 }, failover: manual, db_instance_timeout_action: failover, db_instance_failover_delay: 90, tablespace_directory_error_action: failover, replay_lag_warning: 64',
      ),
    ],
  ])('%s: the same file, byte for byte, and the same unit', async (name, inventory) => {
    expect(await fileOf(inventory)).toBe(golden(`${name}.server.conf`));
    const { unit } = await variablesOf(inventory);
    expect(rendered('mcoi.service.hbs', unit)).toBe(golden('plain.mcoi.service'));
  });
});

describe('the checks of instance and disks', () => {
  const slow = { heartbeat: { interval: '2s', timeout: '4500ms', retries: 4 } };

  it('are as patient as a heartbeat that is slower than normal', async () => {
    const conf = readBack(await fileOf(inventoryWith(slow)));
    expect(conf).toMatchObject({
      dbInstanceCheckIntervalMs: 2000,
      dbInstanceCheckTimeoutMs: 4500,
      dbInstanceCheckRetry: 4,
      diskCheckIntervalMs: 2000,
      diskCheckTimeoutMs: 10_000,
      diskCheckRetry: 4,
    });
  });

  it('are as they are declared, whatever the heartbeat is', async () => {
    const said = { db_instance_check_interval: '1s', disk_check_retry: 1 };
    const conf = readBack(await fileOf(inventoryWith(slow, said)));
    expect(conf).toMatchObject({
      dbInstanceCheckIntervalMs: 1000,
      dbInstanceCheckRetry: 4,
      diskCheckRetry: 1,
    });
  });
});

describe('what a server has of its own', () => {
  it('are its reference addresses, too', async () => {
    const inventory = inventoryWith(
      { reference_addresses: ['192.0.2.1'] },
      { reference_addresses: ['198.51.100.1', '198.51.100.2'] },
    );
    expect(readBack(await fileOf(inventory)).referenceAddresses).toEqual(['198.51.100.1', '198.51.100.2']);
    expect(readBack(await fileOf(inventory, 'server2')).referenceAddresses).toEqual(['192.0.2.1']);
  });

  it('are the programs that are looked for on its host, without their arguments', async () => {
    const inventory = inventoryWith(
      { fencing_command: '/opt/fence --now', post_switch_command: '/opt/hook' },
      { fencing_command: '"/opt/my tools/fence" --here' },
    );
    expect((await variablesOf(inventory)).commands).toEqual([
      { key: 'fencing_command', path: '/opt/my tools/fence' },
      { key: 'post_switch_command', path: '/opt/hook' },
    ]);
    expect((await variablesOf(inventory, 'server2')).commands).toEqual([
      { key: 'fencing_command', path: '/opt/fence' },
      { key: 'post_switch_command', path: '/opt/hook' },
    ]);
  });
});

describe('settings that follow from what is expected', () => {
  const settingsOf = async (inventory: string): Promise<Readonly<Record<string, string>>> => {
    const text = rendered('postgresql.conf.hbs', await variablesOf(inventory));
    return Object.fromEntries(
      text
        .split('\n')
        .filter((it) => it.includes(' = '))
        .map((it) => [it.slice(0, it.indexOf(' ')), it.slice(it.indexOf(' = ') + 3)]),
    );
  };
  const clients = (more: string): string =>
    pairInventory.replace('data_dir: /database/inst1', `data_dir: /database/inst1, ${more}`);

  it.each([
    [{}, '1024MB'],
    [{ expected_downtime: '4h' }, '4096MB'],
    [{ expected_downtime: '90min', wal_per_hour: '512MB' }, '1024MB'],
    [{ expected_downtime: '90min', wal_per_hour: '20GB' }, '30720MB'],
    [{ wal_per_hour: '20GB' }, '1024MB'],
  ])('%j: wal_keep_size is %s', async (said, expected) => {
    expect(await settingsOf(inventoryWith(said))).toMatchObject({ wal_keep_size: `'${expected}'` });
  });

  it.each([
    ['client_connections: 200', '207'],
    ['client_connections: 200, settings: { superuser_reserved_connections: 10 }', '214'],
    ['client_connections: 200, settings: { reserved_connections: 5 }', '212'],
  ])('%s: max_connections is %s', async (said, expected) => {
    expect(await settingsOf(clients(said))).toMatchObject({ max_connections: expected });
    const three = `${clients(said)}  server3: { address: 192.0.2.130, role: standby }\n`;
    expect(await settingsOf(three)).toMatchObject({ max_connections: `${Number(expected) + 1}` });
  });

  it('max_connections is left alone where nobody says how many clients there are', async () => {
    expect(await settingsOf(pairInventory)).not.toHaveProperty('max_connections');
  });

  it.each([
    ['normal', '2', 5400],
    ['fast', '1', 2100],
    [{ interval: '5s', timeout: '5s', retries: 2 }, '10', 30_000],
  ])('heartbeat %j: a standby says every %s s how far it is', async (heartbeat, expected, giveUpMs) => {
    const settings = await settingsOf(inventoryWith({ heartbeat }));
    expect(settings).toMatchObject({
      wal_receiver_status_interval: expected,
      wal_sender_timeout: `${giveUpMs}`,
    });
    expect(Number(expected) * 2000).toBeLessThan(giveUpMs);
  });
});
