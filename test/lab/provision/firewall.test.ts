/**
 * The firewall of the ports on a pair with an arbiter: who is not declared reaches none of them, who is does, and ssh always; behind a switch, a
 * reboot, a flush and a run whose proof fails. The outsider is this machine: the bridge of the lab.
 */
import { connect } from 'node:net';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import type { Host } from '../harness/lab.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import { expectExit, findingsOf, type RunDocument } from '../support/pgduet.ts';

const table = 'inet pgduet_mcoi_inst1';
const options = {
  arbiter: true,
  firewall: 'nftables',
  postgres: {
    hba: [{ type: 'host', database: 'app', user: 'app', address: '192.0.2.0/24', method: 'scram-sha-256' }],
  },
} as const;

/** Whether a packet from outside is answered at all. */
const answers = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (said: boolean) => {
      socket.destroy();
      resolve(said);
    };
    socket.setTimeout(1500, () => end(false));
    socket.on('connect', () => end(true));
    socket.on('error', () => end(true));
  });

const fromWithin = async (from: Host, to: Host, port: number): Promise<number> =>
  (await from.sh(`timeout 3 bash -c '</dev/tcp/${to.address}/${port}'`)).status;

describeLab('the firewall of the ports', () => {
  let before: LabCluster;
  let pair: LabCluster;
  beforeAll(async () => {
    before = await provisionedPair({ arbiter: true });
    pair = before.declared('closed.yml', { ...options, ...closedHosts(before) });
  });
  afterAll(() => before?.close());

  /** An arbiter is a role, which the inventory of the same hosts has to say again. */
  const closedHosts = ({ servers, arbiter }: LabCluster) => ({
    multiplexing: { on_heartbeat_loss: undefined },
    hosts: Object.fromEntries([
      ...servers.map(({ host }, at) => [
        host.name,
        { address: host.address, role: at === 0 ? 'primary' : 'standby' },
      ]),
      ...(arbiter ? [[arbiter.name, { address: arbiter.address, role: 'arbiter' }]] : []),
    ]),
  });
  const hosts = (): readonly [Host, Host, Host] => {
    const [one, two] = before.servers;
    if (!one || !two || !before.arbiter) throw new Error('a host is missing');
    return [one.host, two.host, before.arbiter];
  };

  const expectClosed = async (): Promise<void> => {
    const [one, two, three] = hosts();
    const places = [
      ...[one, two].flatMap((host) => [27_500, 27_540].map((port) => [host, port] as const)),
      [three, 27_541] as const,
    ];
    for (const [host, port] of places) {
      expect(await answers(host.address, port), `${host.name} ${port} from outside`).toBe(false);
      expect(await answers(host.address6, port), `${host.name} ${port} from outside, IPv6`).toBe(false);
      for (const from of [one, two])
        expect(await fromWithin(from, host, port), `${from.name} to ${host.name}`).toBe(0);
    }
    for (const host of hosts()) expect(await answers(host.address, 22)).toBe(true);
  };
  const codes = async (): Promise<readonly string[]> =>
    findingsOf(await pair.check()).map(({ code }) => code);

  labTest('closes the ports, and nobody who belongs to the cluster is kept out', async () => {
    const [one] = hosts();
    expect(await answers(one.address, 27_540)).toBe(true);
    const since = (await one.sh('date +%s')).stdout.trim();
    expectExit(await pair.provision(), 0);
    await expectClosed();
    const again = await pair.provision('--json');
    expect(again.json<RunDocument>()).toMatchObject({
      exit: 0,
      plan: [],
      round_trips: { server1: 1, server2: 1, arb1: 1 },
    });
    expect(await codes()).toEqual([]);
    for (const { host } of before.servers) {
      const said = await host.sh(
        `journalctl --since @${since} -t mcoi_inst1 -o cat; systemctl is-failed '*firewall*'`,
      );
      expect(said.stdout).not.toMatch(/does not answer|silent|lost|is being taken out/);
      expect((await host.sh('ls /etc/pgduet/firewall')).stdout.trim().split('\n')).toEqual([
        'mcoi_inst1.nft',
        'mcoi_inst1.proven',
      ]);
    }
  });

  labTest(
    'stands behind a start of nftables.service; what was flushed or edited is told, and loaded again',
    async () => {
      const [one, two] = hosts();
      await one.sh('systemctl restart nftables && systemctl reload nftables', { check: true });
      expect(await codes()).toEqual([]);
      await one.sh('systemctl stop nftables', { check: true });
      await two.sh(`nft flush chain ${table} input`, { check: true });
      expect(await codes()).toEqual(['FWL001', 'FWL001']);
      expectExit(await pair.provision(), 0);
      await expectClosed();
    },
  );

  labTest('is there behind a switch, and a reboot', async () => {
    const [one] = hosts();
    expectExit(await pair.run('switch', '--yes'), 0);
    await pair.untilSwitchable();
    await expectClosed();
    // The network of a lab host outlives it, with all its rules.
    await one.sh('nft flush ruleset', { check: true });
    await one.reboot();
    await pair.untilSwitchable();
    await expectClosed();
    expect(await codes()).not.toContain('FWL001');
  });

  labTest('a proof that fails takes it back, and the next run goes on', async () => {
    const [one, two] = hosts();
    const wider = before.declared('wider.yml', {
      ...options,
      ...closedHosts(before),
      firewall: { by: 'nftables', clients: ['198.51.100.0/24'] },
    });
    await two.sh(
      "nft 'add table inet law; add chain inet law out { type filter hook output priority 0; }; add rule inet law out tcp dport 27540 tcp flags syn drop'",
      { check: true },
    );
    const said = await wider.provision();
    expect(said.status).not.toBe(0);
    expect(said.stdout + said.stderr).toContain(`port 27540 of ${one.address} is not reached from here`);
    await two.sh('nft delete table inet law', { check: true });
    expectExit(await wider.provision(), 0);
    expect((await one.sh(`nft list table ${table}`)).stdout).toContain('198.51.100.0/24');
    await expectClosed();
  });

  labTest('goes with firewall: none, and nothing of it is left', async () => {
    const none = before.declared('none.yml', { ...options, ...closedHosts(before), firewall: 'none' });
    expectExit(await none.provision(), 0);
    for (const host of hosts()) {
      const left = await host.sh(
        'nft list tables | grep pgduet; ls -d /etc/pgduet /etc/systemd/system/*firewall* /etc/systemd/system/nftables.service.d; systemctl list-timers --all | grep firewall',
      );
      expect(left.stdout).toBe('');
    }
    const [one] = hosts();
    expect(await answers(one.address, 27_540)).toBe(true);
  });
});
