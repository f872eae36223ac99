/**
 * What nobody vouches for is not made anew: the directories of both servers, that of a server which does not run, and that of one without root's unit. Every
 * byte stays as it was; and a directory that comes back is as good as before.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { sh } from '../../../src/base/shell.ts';
import type { FaultPair } from '../faults/support/pair.ts';
import { openPair } from '../faults/support/variants.ts';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Server, sql } from '../support/instance.ts';
import { expectExit } from '../support/pgduet.ts';
import { lose, quiet } from './losing.ts';

interface Advised {
  readonly on: string | null;
  readonly as: string | null;
  readonly run: string;
}

describeLab('a management directory that nobody vouches for', () => {
  let pair: FaultPair;
  beforeAll(async () => {
    pair = await openPair('message');
  });
  afterAll(() => pair?.close());

  const aside = ({ host, managementDir }: Server) =>
    host.sh(`mv ${managementDir} ${managementDir}.aside`, { check: true });
  /** A controller that runs on has its own view of the file systems, in which it does not come back. */
  const back = ({ host, managementDir, unit }: Server) =>
    host.sh(`systemctl stop ${unit}; mv ${managementDir}.aside ${managementDir}; systemctl start ${unit}`, {
      check: true,
    });
  /** All that a run may not touch; of data that runs what the server itself does not write. */
  const everything = async ({ host, managementDir, dataDir }: Server): Promise<string> => {
    const files = `if [ -e postmaster.pid ]; then find . -maxdepth 1 -name '*.conf' -o -name '*.signal'; else find . -type f; fi`;
    const { stdout } = await host.sh(
      `ls -la --time-style=+ ${managementDir}/.. ${managementDir}
cd ${dataDir} && ls -A && { ${files}; } | sort | xargs sha256sum`,
    );
    return stdout;
  };

  /** Refused with this code by a provisioning, and by whatever else would change something. */
  async function expectRefused(lost: readonly Server[], code: string, others: string): Promise<void> {
    const before = await Promise.all(lost.map(everything));
    const provision = await pair.cluster.run('provision', '--yes');
    expectExit(provision, 5);
    expect(provision.stderr).toContain(code);
    for (const verb of [['switch'], ['rebuild', pair.servers[1].id]]) {
      const said = await pair.cluster.run(verb[0] ?? '', ...verb.slice(1), '--yes');
      expectExit(said, 5);
      expect(said.stderr).toContain(others);
    }
    expect(await Promise.all(lost.map(everything))).toEqual(before);
  }

  labTest('of both servers', async () => {
    await Promise.all(pair.servers.map(aside));
    await expectRefused(pair.servers, 'SAF084', 'SAF086').finally(() => Promise.all(pair.servers.map(back)));
  });

  /** Lines of `--json`, a diagnostic each. */
  const advised = (text: string): readonly Advised[] =>
    text
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .flatMap((line) => (JSON.parse(line) as { commands?: readonly Advised[] }).commands ?? []);

  labTest(
    'of both, deleted while both run: by the commands of the message for one, and both are whole',
    async () => {
      const [primary, standby] = pair.servers;
      const started = () =>
        Promise.all(pair.servers.map((one) => sql(one, 'select pg_postmaster_start_time()')));
      await pair.untilSwitchable();
      const before = await started();
      await Promise.all(pair.servers.map((one) => lose(one, 'runs')));
      await quiet(pair);
      const refused = await pair.cluster.run('provision', '--yes', '--json');
      expectExit(refused, 5);
      const commands = advised(refused.stderr).filter(({ on }) => on === primary.id);
      expect(commands.map(({ as }) => as ?? 'root')).toEqual(['root', 'postgres']);
      for (const { as, run } of commands)
        await primary.host.sh(as === null ? run : sh`runuser -u ${as} -- sh -c ${run}`, { check: true });
      expectExit(await pair.cluster.run('provision', '--yes'), 0);
      await pair.untilSwitchable();
      expect(await started()).toEqual(before);
      expectExit(await pair.cluster.run('check'), 0);
      expectExit(await pair.cluster.run('switch', '--yes'), 0);
      expectExit(await pair.cluster.run('switch', '--to', primary.id, '--yes'), 0);
      expectExit(await pair.cluster.run('rebuild', standby.id, '--yes'), 0);
      await pair.untilSwitchable();
    },
  );

  labTest('of a standby that does not run', async () => {
    const [, standby] = pair.servers;
    await standby.host.sh(`systemctl stop ${standby.unit}`, { check: true });
    await aside(standby);
    await expectRefused([standby], 'SAF084', 'SAF086').finally(() => back(standby));
  });

  labTest('of a primary without its unit', async () => {
    const [primary] = pair.servers;
    const unit = `/etc/systemd/system/${primary.unit}`;
    await aside(primary);
    await primary.host.sh(`mv ${unit} /root/aside.service`, { check: true });
    await expectRefused([primary], 'SAF004', 'SAF004').finally(() =>
      primary.host.sh(`mv /root/aside.service ${unit}; systemctl daemon-reload`, { check: true }),
    );
    await back(primary);
  });

  labTest('and all is as before where they come back', async () => {
    await pair.untilSwitchable();
    expectExit(await pair.cluster.run('provision', '--yes'), 0);
    expectExit(await pair.cluster.run('check'), 0);
  });
});
