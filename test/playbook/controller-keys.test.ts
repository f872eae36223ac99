/** Keys of <host>.conf that the inventory hands on: what it accepts, the controller reads, with the same default. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { serverKeys } from '../../src/controller/config.ts';
import { type ControllerKeys, controllerKeys } from '../../src/inventory/controller-keys.ts';
import { preferredView } from '../../src/observe/survey.ts';
import { variablesFor } from '../../src/playbook/variables.ts';
import { clusterOf, pairInventory, serverNamed } from '../observe/cluster.ts';

/** For each key a value that is not its default, and how it stands in the file. */
const samples: {
  readonly [Key in keyof ControllerKeys]-?: readonly [NonNullable<ControllerKeys[Key]>, string];
} = {
  db_instance_timeout_action: ['failover', 'failover'],
  db_instance_failover_delay: [90, '90'],
  tablespace_directory_error_action: ['failover', 'failover'],
  replay_lag_warning: [64, '64'],
};

const names = Object.keys(controllerKeys.shape) as (keyof ControllerKeys)[];

/** What stands in the <host>.conf of server1, with these lines under multiplexing. */
async function fileOf(keys: string): Promise<Readonly<Record<string, string>>> {
  const cluster = await clusterOf(
    pairInventory.replace('management_dir: /mcdir/inst1', `management_dir: /mcdir/inst1${keys}`),
  );
  const situation = { cluster, view: preferredView(cluster), intent: { kind: 'provision' } } as const;
  return variablesFor(situation, serverNamed(cluster, 'server1')).serverConf.values;
}

const documented: Readonly<
  Record<string, { readonly default?: string | number; readonly enum?: readonly string[] }>
> = JSON.parse(readFileSync(join(import.meta.dirname, '../../schema/inventory.json'), 'utf8')).properties
  .multiplexing.properties;

describe.each(names)('multiplexing.%s', (name) => {
  it('stands in <host>.conf as the inventory gives it', async () => {
    const [given, written] = samples[name];
    const file = await fileOf(`, ${name}: ${given}`);
    expect(file).toEqual({ ...(await fileOf('')), [name]: written });
    expect((await fileOf(''))[name]).not.toBe(written);
  });

  it('has the values and the default of the controller', () => {
    const { default: standard, enum: values = [] } = documented[name] ?? {};
    const spec = Object.values(serverKeys).find(({ key }) => key === name);
    for (const value of [standard, ...values].filter((it) => it !== undefined))
      expect([value, spec?.read({ text: String(value), quoted: true }).kind]).toEqual([value, 'value']);
    expect(spec?.read({ text: String(standard), quoted: true })).toMatchObject({ value: spec?.fallback });
  });
});
