/** The lineage of a cell in a real etcd: what a server remembers of it, and what an older state that was put back is noticed by. */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Vote } from '../../src/controller/core/view.ts';
import type { EtcdRegister } from '../../src/controller/io/etcd-link.ts';
import { describeEtcd, type EtcdServer, emptyDir, RealEtcd } from './support/etcd.ts';
import { asking, beat, EtcdTests } from './support/etcd-tests.ts';

const tests = new EtcdTests();
const { serverAt } = tests;

describeEtcd('an etcd that was put back to an older state', () => {
  let etcd: RealEtcd;
  let register: EtcdRegister;
  let count = 0;
  beforeAll(async () => {
    etcd = await RealEtcd.started(tests.authority);
  });
  afterAll(() => etcd.remove());

  /** server1 has won a term of which the disks know nothing any more; others have written so much that no revision shows it. */
  async function putBack(): Promise<{ readonly winner: EtcdServer; readonly cells: Vote['cells'] }> {
    count += 1;
    register = etcd.register(`/pgduet/back${count}/`);
    const winner = serverAt(register);
    const cells = await winner.named();
    const copy = emptyDir();
    await etcd.copyDisks(copy);
    await winner.vote({ cells, attempt: 1 });
    winner.link.close();
    await etcd.putBack(copy);
    rmSync(copy, { recursive: true });
    for (let key = 0; key < 20; key += 1) await etcd.admin.put(`/others/${key}`, 'x');
    return { winner, cells };
  }
  /** As after a restart of its controller, or a reload. */
  const again = (from: EtcdServer, id = 'server1'): EtcdServer => {
    const server = serverAt(register, id);
    server.link.restore(from.lineages);
    return server;
  };
  const won = (cells: Vote['cells']): Vote => ({ ...asking(cells, 1), stage: 'won' });

  it('has another cell when one that was started again asks, which remembers what it has seen', async () => {
    const { winner, cells } = await putBack();
    const server = again(winner);
    const now = (await server.tell())?.cell;
    expect(now).toMatchObject({ term: 0, holder: null });
    expect(now?.id).not.toBe(cells[0]?.id);
    expect(server.seen[0]).toMatch(/^lost arbiter1: it knows nothing of what was seen there before/);
    // It is thrown away once, and everybody else takes the new one.
    expect((await server.tell())?.cell).toEqual(now);
    expect((await serverAt(register, 'server2').tell())?.cell).toEqual(now);
  });

  it('that has given a term to another one meanwhile has another cell as soon as the first one asks', async () => {
    const { winner, cells } = await putBack();
    const other = serverAt(register, 'server2');
    // It has never asked before: this cannot be noticed.
    expect(await other.vote({ cells, attempt: 3 })).toMatchObject({ term: 1, holder: 'server2' });
    const now = (await again(winner).tell())?.cell;
    expect(now?.id).not.toBe(cells[0]?.id);
    expect((await other.tell())?.cell).toEqual(now);
    expect((await again(winner).tell({ vote: won(cells) }))?.cell).toEqual(now);
  });

  it('has one by the word of the winner alone, where nobody remembers', async () => {
    const { cells } = await putBack();
    await serverAt(register, 'server2').vote({ cells, attempt: 3 });
    const now = (await serverAt(register).tell({ vote: won(cells) }))?.cell;
    expect(now).toMatchObject({ term: 0, holder: null });
    expect(now?.id).not.toBe(cells[0]?.id);
  });

  it('is noticed behind a reload, and on the way back from another etcd', async () => {
    count += 1;
    const [one, elsewhere] = [`/pgduet/back${count}/`, `/pgduet/elsewhere${count}/`].map((it) =>
      etcd.register(it),
    ) as [EtcdRegister, EtcdRegister];
    const server = serverAt(one);
    const cells = await server.named();
    const copy = emptyDir();
    await etcd.copyDisks(copy);
    await beat(server, () => server.seen.at(-1) === 'heard arbiter1 0');
    await server.vote({ cells, attempt: 1 });
    server.update(elsewhere);
    await beat(server, () => server.seen.at(-1) === 'heard arbiter1 0');
    await etcd.putBack(copy);
    rmSync(copy, { recursive: true });
    for (let key = 0; key < 20; key += 1) await etcd.admin.put(`/others/${key}`, 'x');
    server.update(one);
    server.seen.length = 0;
    await beat(server, () => server.seen.some((it) => it.includes('it knows nothing of what was seen')));
    expect(server.seen[0]).toContain('it knows nothing of what was seen');
  });

  it('a cell of the format before is taken as it is, and gets a lineage with the next write', async () => {
    count += 1;
    register = etcd.register(`/pgduet/back${count}/`);
    const server = serverAt(register);
    const cells = await server.named();
    const key = `${register.prefix}cell`;
    const content = async (): Promise<Record<string, unknown>> =>
      JSON.parse((await etcd.admin.keyOf(key))?.value ?? '{}');
    const { lineage, format, ...before } = await content();
    // A program that knows the first format alone takes nothing else for a cell.
    expect([format, lineage]).toEqual([2, [expect.stringMatching(/^[0-9a-f-]{13}$/)]]);
    await etcd.admin.put(key, JSON.stringify({ ...before, format: 1 }));
    const other = serverAt(register, 'server2');
    expect(await other.named()).toEqual(cells);
    expect(await other.vote({ cells })).toMatchObject({ id: cells[0]?.id, holder: 'server2' });
    expect(await content()).toMatchObject({ format: 2, lineage: [expect.any(String)] });
    // It comes from no write that the first one has seen: it was put back, or somebody has written there.
    expect((await server.tell())?.cell.id).not.toBe(cells[0]?.id);
  });

  it('keeps the marks of its last writes, and no more', async () => {
    count += 1;
    register = etcd.register(`/pgduet/back${count}/`);
    const [server, asleep] = [serverAt(register), serverAt(register, 'server2')];
    const cells = await server.named();
    const first = await asleep.tell();
    for (let term = 1; term <= 14; term += 1) await server.vote({ cells, term, attempt: term });
    // It finds what it has seen last.
    expect((await asleep.tell())?.cell.id).toBe(first?.cell.id);
    for (let term = 15; term <= 31; term += 1) await server.vote({ cells, term, attempt: term });
    const { lineage } = JSON.parse((await etcd.admin.keyOf(`${register.prefix}cell`))?.value ?? '{}');
    expect(new Set(lineage).size).toBe(16);
    // What is further away is not known, and what is not known frees nobody.
    expect((await asleep.tell())?.cell.id).not.toBe(first?.cell.id);
  });
});
