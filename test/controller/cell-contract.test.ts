/** The contract of a cell, kept by the judgement, by the owner of a cell, by the daemon, and by a real etcd. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { CellOwner } from '../../src/controller/arbiter/cell-owner.ts';
import { arbiterHears, arbiterView, startArbiter } from '../../src/controller/core/arbiter.ts';
import type { Cell } from '../../src/controller/core/view.ts';
import { patienceMs, RealArbiter, TalkingServer } from './support/arbiter.ts';
import { type CellUnderTest, cellContract } from './support/cell-contract.ts';
import { view } from './support/conversation.ts';
import { Authority, describeEtcd, EtcdServer, RealEtcd } from './support/etcd.ts';
import { bundleController, freePorts } from './support/pair.ts';

const short = 200;
let starts = 0;
const facts = () => {
  starts += 1;
  return {
    ...{ id: 'arbiter1', version: '0', incarnation: `start-${starts}` },
    ...{ at: performance.now(), patienceMs: short },
  };
};

cellContract('core/arbiter.ts', async (): Promise<CellUnderTest> => {
  let state = startArbiter({ ...facts(), cell: null });
  return {
    patienceMs: short,
    tell: async (it) => {
      state = arbiterHears(state, it, performance.now());
      return arbiterView(state);
    },
    restart: async () => {
      state = startArbiter({ ...facts(), cell: state.cell });
    },
    loseMemory: async () => {
      state = startArbiter({ ...facts(), cell: null });
    },
    close: async () => undefined,
  };
});

cellContract('the owner', async (): Promise<CellUnderTest> => {
  let disk: Cell | null = null;
  const made = (): CellOwner =>
    new CellOwner(
      { ...facts(), found: { cell: disk, torn: false } },
      {
        write: (cell) => {
          disk = cell;
          return null;
        },
        log: () => undefined,
      },
    );
  let owner = made();
  return {
    patienceMs: short,
    tell: async (it) => owner.hear(it, performance.now()),
    restart: async () => {
      owner = made();
    },
    loseMemory: async () => {
      disk = null;
      owner = made();
    },
    close: async () => undefined,
  };
});

const dir = mkdtempSync(join(tmpdir(), 'mc-arb-'));
const bundle = join(dir, 'mc.js');
beforeAll(async () => {
  // The arbiter does not run as root, and has to read it.
  chmodSync(dir, 0o755);
  await bundleController(bundle);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

cellContract('the daemon', async (): Promise<CellUnderTest> => {
  const [port = 0] = await freePorts(1);
  const arbiter = new RealArbiter(bundle, port);
  await arbiter.start();
  const servers = new Map(
    ['server1', 'server2'].map((id) => [id, new TalkingServer(view(id, 'standby'), port)]),
  );
  return {
    patienceMs,
    tell: async (it) => (await servers.get(it.id)?.say(it)) ?? null,
    restart: async () => {
      await arbiter.kill();
      await arbiter.start();
    },
    loseMemory: async () => {
      await arbiter.kill();
      rmSync(arbiter.cellFile());
      await arbiter.start();
    },
    close: async () => {
      for (const server of servers.values()) server.link.close();
      await arbiter.remove();
    },
  };
});

describeEtcd('with an etcd', () => {
  let authority: Authority;
  let etcd: RealEtcd;
  let cells = 0;
  beforeAll(async () => {
    authority = new Authority();
    etcd = await RealEtcd.started(authority);
  });
  afterAll(async () => {
    await etcd.remove();
    authority.remove();
  });

  cellContract('a key of it', async (): Promise<CellUnderTest> => {
    cells += 1;
    const prefix = `/pgduet/cluster${cells}/`;
    const servers = new Map(
      ['server1', 'server2'].map((id) => [id, new EtcdServer(view(id, 'standby'), etcd.register(prefix))]),
    );
    return {
      // A lease of 3 s, of which etcd looks for the end twice a second.
      patienceMs: 4500,
      tell: async (it) => (await servers.get(it.id)?.say(it)) ?? null,
      restart: async () => {
        await etcd.kill();
        await etcd.start();
      },
      loseMemory: async () => {
        await etcd.admin.deleteKey(`${prefix}cell`);
      },
      close: async () => {
        for (const server of servers.values()) server.link.close();
      },
    };
  });
});
