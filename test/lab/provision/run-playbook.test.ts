/**
 * `pgduet run` with a playbook of the user's own, beside which a template lies: check mode, first run, second run. No
 * cluster is needed for it.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Host, Lab } from '../harness/lab.ts';
import { statOf } from '../support/instance.ts';
import { inventory } from '../support/inventory.ts';
import { built, expectExit, type Pgduet, pgduet, type RunDocument } from '../support/pgduet.ts';

const playbook = `title: What our applications need on a database host
plays:
  - title: Everywhere
    on: all
    resources:
      - directory: { path: /srv/app, owner: deploy, group: ops, mode: '0750' }
      - directory: { path: /srv/site, owner: root }
      - file:
          path: /srv/app/about
          owner: deploy
          mode: '0640'
          content: |
            I am {{host.name}}, {{host.role}} of {{cluster.name}}; $HOME stays 'as it is'
      - file: { path: /srv/site/servers, owner: root, template: servers.hbs }
      - directory: { path: '/srv/site/peer-{{item.name}}', owner: root }
        each: others
      - file: { path: /srv/site/read-only, owner: root, content: 'standby' }
        when: '{{#if (eq host.role "standby")}}yes{{/if}}'
      - line: { path: /etc/services, line: 'our-app 12345/tcp' }
  - title: The primary first
    on: primary
    resources:
      - command:
          name: first
          run: 'sleep 0.3; date +%s%N > /srv/app/done'
          unless: test -e /srv/app/done
        as: first
  - title: Then the standbys
    on: standbys
    resources:
      - command:
          name: second
          run: 'date +%s%N > /srv/app/done; id -un >> /srv/app/done'
          unless: test -e /srv/app/done
          user: deploy
        after: [primary/first]
`;

describeLab("a user's own playbook", () => {
  let lab: Lab;
  let a: Host;
  let b: Host;
  let run: (...args: string[]) => ReturnType<Pgduet>;
  beforeAll(async () => {
    built();
    lab = await Lab.open();
    [a, b] = await lab.hosts(2, { names: ['server1', 'server2'] });
    const command = pgduet(lab);
    const file = inventory(lab, [a, b]);
    writeFileSync(join(lab.dir, 'my.yml'), playbook);
    writeFileSync(join(lab.dir, 'servers.hbs'), '{{#each servers}}\n{{name}}={{address}}\n{{/each}}\n');
    run = (...args) => command(['run', join(lab.dir, 'my.yml'), '-i', file, ...args]);
  });
  afterAll(() => lab?.close());

  labTest('in check mode is shown and not done', async () => {
    const said = await run('--check');
    expectExit(said, 2);
    expect(said.stdout).toContain('create directory /srv/app ');
    expect(said.stdout).toContain("+I am server1, primary of inst1; $HOME stays 'as it is'");
    for (const host of [a, b])
      expect((await host.sh('ls /srv; grep -c our-app /etc/services')).stdout).toBe('0\n');
  });

  labTest('is done on the hosts that it names, in the order that it asks for', async () => {
    expectExit(await run('--yes'), 0);
    for (const [host, role, peer] of [
      [a, 'primary', 'server2'],
      [b, 'standby', 'server1'],
    ] as const) {
      const paths = ['/srv/app', '/srv/app/about', `/srv/site/peer-${peer}`];
      expect(await statOf(host, paths)).toEqual([
        '/srv/app 750 deploy directory',
        '/srv/app/about 640 deploy regular file',
        `/srv/site/peer-${peer} 755 root directory`,
      ]);
      const texts = await host.sh(
        'cat /srv/app/about /srv/site/servers; stat -c %G /srv/app; grep our-app /etc/services',
      );
      expect(texts.stdout.split('\n').slice(0, 5)).toEqual([
        `I am ${host.name}, ${role} of inst1; $HOME stays 'as it is'`,
        `server1=${a.address}`,
        `server2=${b.address}`,
        'ops',
        'our-app 12345/tcp',
      ]);
    }
    expect((await a.sh('ls /srv/site')).stdout).not.toContain('read-only');
    expect((await b.sh('cat /srv/site/read-only')).stdout).toBe('standby\n');
    const first = (await a.sh('cat /srv/app/done')).stdout;
    const [second = '', user] = (await b.sh('cat /srv/app/done')).stdout.split('\n');
    expect(BigInt(second) > BigInt(first.trim())).toBe(true);
    expect(user).toBe('deploy');
  });

  labTest('the second time has nothing to do', async () => {
    const said = await run('--yes', '--json');
    expectExit(said, 0);
    expect(said.json<RunDocument>()).toMatchObject({
      plan: [],
      changed: [],
      round_trips: { server1: 1, server2: 1 },
    });
  });

  labTest('puts right what was changed by hand, and only that', async () => {
    await b.sh('echo other > /srv/app/about; rm /srv/app/done', { check: true });
    const check = await run('--check', '--json');
    expectExit(check, 2);
    expect(check.json<RunDocument>().plan.map(({ host }) => host)).toEqual(['server2', 'server2']);
    expectExit(await run('--yes'), 0);
    expect((await b.sh('cat /srv/app/about')).stdout).toContain('I am server2');
    expectExit(await run('--check'), 0);
  });
});
