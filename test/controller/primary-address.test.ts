/** Whether one of the addresses that a standby gets its WAL from takes connections. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { primaryAnswers } from '../../src/controller/io/primary-address.ts';

it('one address with a port that can be none says nothing of the others', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'mc-address-'));
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const conninfo = `host=127.0.0.1,127.0.0.1 port=70000,${port}`;
  writeFileSync(join(dir, 'postgresql.conf'), `primary_conninfo = '${conninfo}'\n`);
  try {
    expect(await primaryAnswers(dir, 5000)).toBe(true);
  } finally {
    server.close();
    rmSync(dir, { recursive: true });
  }
});
