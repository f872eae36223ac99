/** Whether a server has to be restarted to become what its files say, by the settings that only a restart changes. Pure. */
import { parseSizeBytes } from '../../base/units.ts';
import { effectiveConf } from '../../postgres/conf-file.ts';
import type { LiveSetting, SingleLive } from './single-observation.ts';

/** Names whose value will be another one; `conf` and `auto` as the server will read them. */
export function needRestart(live: SingleLive, conf: string, auto: string): readonly string[] {
  const [standing, over] = [effectiveConf(conf), effectiveConf(auto)];
  return Object.entries(live.restart)
    .filter(([name, setting]) => {
      if (setting.source !== 'configuration file' && setting.source !== 'default') return false;
      const written = over.get(name)?.value ?? standing.get(name)?.value;
      // What no file has had and none will have stays, also where the server has made its own value of it: wal_buffers.
      if (written === undefined && setting.source === 'default') return false;
      return !sameValue(written ?? setting.boot ?? '', setting);
    })
    .map(([name]) => name)
    .sort();
}

const yes = ['on', 'true', 'yes', '1'];
const no = ['off', 'false', 'no', '0'];

/** A value as a file has it, and as pg_settings shows it. */
export function sameValue(written: string, { value, unit }: LiveSetting): boolean {
  const [one, other] = [written.toLowerCase(), value.toLowerCase()];
  if (one === other) return true;
  if (yes.includes(one)) return yes.includes(other);
  if (no.includes(one)) return no.includes(other);
  const base = unit === null ? undefined : parseSizeBytes(/^\d/.test(unit) ? unit : `1${unit}`);
  const bytes = parseSizeBytes(written);
  return base !== undefined && bytes !== undefined && bytes === base * Number(value);
}
