/** A place that one process alone may not write to, by the table of its mounts. */
import { expect, it } from 'vitest';
import { keptReadOnly } from '../../src/controller/io/read-only.ts';

const mounts = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
40 22 8:1 /usr /usr ro,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
41 40 8:1 /usr/local /usr/local rw,relatime - ext4 /dev/sda1 rw,errors=remount-ro
50 22 8:2 / /broken ro,relatime - ext4 /dev/sdb1 ro
51 22 8:3 / /a\\040b ro,relatime - ext4 /dev/sdc1 rw
52 22 0:9 / /over rw - tmpfs tmpfs rw
53 22 0:8 / /over ro - tmpfs tmpfs rw`;

it.each([
  ['/usr/share/pgwal', true],
  ['/usr', true],
  ['/usr/local/pgsql/wal', false],
  ['/usrx', false],
  ['/database/inst1', false],
  ['/broken/wal', false],
  ['/a b/c', true],
  ['/over/x', true],
])('%s is kept read-only: %s', (path, kept) => {
  expect(keptReadOnly(mounts, path)).toBe(kept);
});

it('says nothing of what it does not know', () => {
  expect(keptReadOnly('', '/usr')).toBe(false);
  expect(keptReadOnly('half a line', '/usr')).toBe(false);
});
