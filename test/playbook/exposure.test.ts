/**
 * What the units that pgduet writes leave open, by the judgement of systemd itself: every template in its forms, as
 * `systemd-analyze security` reads it from a file. Skipped only where systemd-analyze cannot read one, and never on Debian 12 or newer.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allowanceNames, holdsPrivileges, limitLines, newLimits } from '../../src/base/unit-limits.ts';
import { preferredView } from '../../src/observe/survey.ts';
import { render } from '../../src/playbook/render.ts';
import { ownTemplates } from '../../src/playbook/variables/controller.ts';
import { variablesFor } from '../../src/playbook/variables.ts';
import { arbiterInventory, clusterOf, pairInventory, serverNamed } from '../observe/cluster.ts';

const root = join(import.meta.dirname, '../..');
const shipped = (path: string): string => readFileSync(join(root, path), 'utf8');

/** As a file of that name would stand in /etc/systemd/system. */
async function unitText(name: string, inventory: string): Promise<string> {
  const cluster = await clusterOf(inventory);
  const situation = { cluster, view: preferredView(cluster), intent: { kind: 'provision' } } as const;
  const variables = variablesFor(situation, serverNamed(cluster, 'server1'));
  const own = ownTemplates[name];
  const text = render(shipped(`templates/${name}`), own ? variables[own] : variables, name);
  if (!text.ok) throw new Error(text.diagnostics.map(({ what }) => what).join('; '));
  return text.value.replaceAll('@PGBIN@', '/usr/lib/postgresql/15/bin');
}

const allowing = (...words: readonly string[]): string =>
  pairInventory.replace(
    'on_heartbeat_loss: fallback',
    `on_heartbeat_loss: fallback, unit_allows: [${words.join(', ')}]`,
  );
const elsewhere = pairInventory.replace(
  'data_dir: /database/inst1 }',
  "data_dir: /database/inst1, wal_dir: /usr/share/wal, settings: { archive_command: 'cp %p /boot/archive/%f', log_directory: '/opt/my logs' } }",
);

const capable =
  spawnSync('systemd-analyze', ['--help'], { encoding: 'utf8' }).stdout?.includes('--offline') === true;
const osRelease = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
const debian = /^ID=debian$/m.test(osRelease) && Number(/^VERSION_ID="(\d+)"$/m.exec(osRelease)?.[1]) >= 12;
const version = Number(
  /^systemd (\d+)/.exec(spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1],
);
const needed = debian || process.env.CI === 'true';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'pgduet-exposure-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** What systemd says of a unit with this text: tenths of its exposure, and what it did not understand. */
function judged(text: string): {
  readonly tenths: number;
  readonly complaints: string;
  readonly status: number | null;
} {
  const file = join(dir, 'judged.service');
  // A user that is not here would end it.
  writeFileSync(file, text.replace(/^(User|Group)=.*$/gm, '$1=daemon'));
  const said = spawnSync(
    'systemd-analyze',
    ['security', '--offline=true', '--threshold=25', '--no-pager', file],
    { encoding: 'utf8' },
  );
  const [, figure = ''] = /Overall exposure level for \S+: ([\d.]+)/.exec(said.stdout) ?? [];
  return { tenths: Math.round(Number(figure) * 10), complaints: said.stderr, status: said.status };
}

describe('the exposure of the units', () => {
  it('can be judged here, or need not be', () => {
    expect({ needed, capable }).not.toEqual({ needed: true, capable: false });
  });

  it('is judged for every template of one', () => {
    const templates = readdirSync(join(root, 'templates')).filter((name) => name.endsWith('.service.hbs'));
    expect(templates.sort()).toEqual([
      'firewall.service.hbs',
      'mcarb.service.hbs',
      'mcoi.service.hbs',
      'postgresql.service.hbs',
    ]);
  });

  it.runIf(capable).each([
    ['mcoi.service.hbs', 'as usual', pairInventory],
    ['mcoi.service.hbs', 'with places below /usr', elsewhere],
    ['postgresql.service.hbs', 'as usual', pairInventory],
    ['postgresql.service.hbs', 'with places below /usr', elsewhere],
    ['mcarb.service.hbs', 'as usual', arbiterInventory],
    ['firewall.service.hbs', 'as usual', pairInventory],
  ])('of %s, %s, is at most 2.5', async (name, _, inventory) => {
    const { tenths, complaints, status } = judged(await unitText(name, inventory));
    expect({ complaints, status }).toEqual({ complaints: '', status: 0 });
    expect(tenths).toBeGreaterThan(0);
  });

  it.runIf(capable).each(allowanceNames)('with %s is more, and systemd understands it', async (word) => {
    const [usual, more] = await Promise.all([
      unitText('mcoi.service.hbs', pairInventory),
      unitText('mcoi.service.hbs', allowing(word)),
    ]);
    const opened = judged(more);
    expect(opened.complaints).toBe('');
    expect(opened.tenths).toBeGreaterThan(judged(usual).tenths);
  });

  // Another systemd may weigh in another way.
  it.runIf(capable && version === 252)('stands in docs/security.md as systemd 252 says it', async () => {
    const figure = async (name: string, inventory: string): Promise<string> =>
      (judged(await unitText(name, inventory)).tenths / 10).toFixed(1);
    const rows = [
      ['`mcoi_CLUSTER.service`: controller and instance', await figure('mcoi.service.hbs', pairInventory)],
      ...(await Promise.all(
        allowanceNames.map(async (word) => [
          `… with \`unit_allows: [${word}]\``,
          await figure('mcoi.service.hbs', allowing(word)),
        ]),
      )),
      ['`mcarb_DIRECTORY.service`: an arbiter', await figure('mcarb.service.hbs', arbiterInventory)],
      [
        '`postgresql_CLUSTER.service`: what `teardown` leaves',
        await figure('postgresql.service.hbs', pairInventory),
      ],
      ['`UNIT-firewall.service`: who reaches the ports', await figure('firewall.service.hbs', pairInventory)],
    ];
    const told = [...shipped('docs/security.md').matchAll(/^\| (.*) \| (\d\.\d) \|$/gm)];
    expect(told.map(([, unit, tenths]) => [unit, tenths])).toEqual(rows);
  });
});

describe('the limits of a unit', () => {
  it.each(allowanceNames)('are fewer with %s, and never others than that', (word) => {
    const usual = limitLines([]);
    const given = limitLines([word]);
    expect(given.length).toBeLessThan(usual.length);
    const names = (lines: readonly string[]) => lines.map((line) => line.replace(/=.*/, ''));
    expect(names(usual)).toEqual(expect.arrayContaining(names(given)));
  });

  it('hold nobody who becomes root, once that is allowed: no line is left that implies NoNewPrivileges', () => {
    expect(limitLines(['privileges'])).toEqual([
      'DevicePolicy=closed',
      'PrivateMounts=yes',
      'ProtectControlGroups=yes',
    ]);
    expect(holdsPrivileges(limitLines(['privileges']).join('\n'))).toBe(false);
    expect(holdsPrivileges(limitLines([]).join('\n'))).toBe(true);
  });

  it('that are new are named, and no other lines', () => {
    const before = 'ProtectSystem=full\nNoNewPrivileges=yes\nUMask=0077\n# PrivateDevices=yes\n';
    const after =
      'ProtectSystem=strict\nNoNewPrivileges=yes\nUMask=0027\nPrivateDevices=yes\nDevicePolicy=closed\n';
    expect(newLimits(before, after)).toEqual(['ProtectSystem', 'PrivateDevices', 'DevicePolicy']);
    expect(newLimits(after, after)).toEqual([]);
  });
});
