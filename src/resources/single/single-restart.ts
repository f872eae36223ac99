/** Whether a server has to be restarted to become what its files say, by the settings that only a restart changes. Pure. */
import { effectiveConf } from '../../postgres/conf-file.ts';
import { sameValue } from '../../postgres/setting-value.ts';
import type { SingleLive } from './single-observation.ts';

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
