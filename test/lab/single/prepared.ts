/**
 * Single servers with data from prepared layers: what `forms.ts` makes, found after a start of its host. In: a lab and a form.
 * Out: the server, running. Nothing here calls pgduet.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host, Lab } from '../harness/lab.ts';
import { prepared, type Recipe } from '../harness/prepared.ts';
import { until } from '../harness/run.ts';
import { type Server, serverOf, sql } from '../support/instance.ts';
import { type FormName, forms, inventoryOf, type Single, startAgain } from './forms.ts';

/** A single server without the host that it stands on. */
interface Described extends Omit<Single, 'host' | 'server'> {
  readonly server: Omit<Server, 'host'>;
}

/** All that a form is made of. */
const sources = ['forms.ts', 'files.ts', 'shop.ts'].map((name) =>
  readFileSync(join(import.meta.dirname, name), 'utf8'),
);

export async function preparedSingle(lab: Lab, form: FormName, name: string): Promise<Single> {
  const recipe: Recipe<Described> = {
    name: `single-${form}`,
    image: 'debian12',
    hosts: ['single'],
    ingredients: sources,
    async make(ownLab, [host]) {
      if (host === undefined) throw new Error('a single server needs a host');
      return withoutHost(await forms[form](ownLab, host));
    },
  };
  const { hosts, notes } = await prepared(lab, recipe, { names: [name] });
  const single = onHost(notes, hosts[0]);
  // A snapshot says of each unit whether it starts or runs.
  await single.host.sh('systemctl is-system-running --wait');
  if (single.unit === undefined) await startAgain(lab, single);
  await until(
    () => `the server of ${name} does not answer`,
    30_000,
    async () => ((await sql(single.server, 'SELECT 1').catch(() => '')) === '1' ? true : undefined),
    50,
  );
  return single;
}

/** Debian's own cluster, a bare host for its standby, and the path of their inventory. */
export async function packagedBesideBare(lab: Lab): Promise<{ single: Single; other: Host; file: string }> {
  const [other] = await lab.hosts(1, { names: ['other'] });
  if (other === undefined) throw new Error('there is no second host');
  const single = await preparedSingle(lab, 'packaged', 'original');
  return { single, other, file: inventoryOf(lab, single, [other]) };
}

function withoutHost({ host: _host, server, ...rest }: Single): Described {
  const { host: _same, ...about } = server;
  return { ...rest, server: about };
}

function onHost(notes: Described, host: Host | undefined): Single {
  if (host === undefined) throw new Error('a single server needs a host');
  const { id: _id, address: _address, ...about } = notes.server;
  return { ...notes, host, server: serverOf(host, about) };
}
