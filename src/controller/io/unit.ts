/**
 * The unit of systemd that starts a controller. What is started beside its unit is not watched, not started again when it crashes, and
 * not stopped with the host. In: which controller. Out: the name of the unit.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where systemd is, and where pgduet writes its units; tests have places of their own. */
export interface UnitPlaces {
  readonly running: string;
  readonly units: string;
}

const here: UnitPlaces = { running: '/run/systemd/system', units: '/etc/systemd/system' };

/** "mcoi_inst1.service"; undefined where systemd does not run, or no unit starts this controller. */
export function unitFor(
  { dir, id }: { readonly dir: string; readonly id: string },
  { running, units }: UnitPlaces = here,
): string | undefined {
  if (!existsSync(running)) return undefined;
  const starts = new RegExp(`^ExecStart=.* daemon -M ${escaped(dir)} --local-server ${escaped(id)}$`, 'm');
  return readdirSync(units).find(
    (name) => name.endsWith('.service') && starts.test(textOf(join(units, name))),
  );
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** What cannot be read, such as a link to nothing, starts nothing of ours. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return error instanceof Error ? '' : String(error);
  }
}
