/** What a host says of its addresses and of the way to others: the same by one program for all as by one for each. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { preamble } from '../../src/resources/contract/preamble.ts';
import { namesProbe, readNames } from '../../src/resources/controller/names-observation.ts';

const root = mkdtempSync(join(tmpdir(), 'names-'));
afterAll(() => rmSync(root, { recursive: true }));

/** `programs` stands in front of the path. */
function seen(addresses: readonly string[], ip: string) {
  writeFileSync(join(root, 'ip'), `#!/bin/sh\n${ip}\n`, { mode: 0o755 });
  const { shell = '' } = namesProbe({ names: [], addresses });
  const { status, stdout, stderr } = spawnSync('sh', [], {
    input: `${preamble(undefined)}\n(\n${shell}\n)`,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${root}:${process.env.PATH}` },
  });
  return readNames({ status: status ?? -1, stdout, stderr });
}

const tables = `show() { echo '1: lo    inet 127.0.0.1/8 scope host lo\\\\       valid_lft forever preferred_lft forever'
echo '2: eth0    inet 192.0.2.10/24 brd 192.0.2.255 scope global eth0\\\\       valid_lft forever preferred_lft forever'
echo '2: eth0    inet 192.0.2.11/24 scope global secondary eth0\\\\       valid_lft forever preferred_lft forever'
echo '2: eth0    inet6 2001:db8::a/64 scope global \\\\       valid_lft forever preferred_lft forever'; }
way() { case $1 in
192.0.2.11) echo 'local 192.0.2.11 dev lo src 192.0.2.10 uid 0 \\\\    cache <local>';;
192.0.2.99) echo '192.0.2.99 dev eth0 src 192.0.2.10 uid 0 \\\\    cache';;
198.51.100.1) echo '198.51.100.1 via 192.0.2.1 dev eth0 src 192.0.2.10 uid 0 \\\\    cache';;
2001:db8::b) echo '2001:db8::b from :: dev eth0 proto kernel src 2001:db8::a metric 256 pref medium';;
*) echo 'RTNETLINK answers: Network is unreachable' >&2; return 2;;
esac; }`;
const asked = ['192.0.2.11', '192.0.2.99', '203.0.113.1', '198.51.100.1', '2001:db8::b'];
const known = {
  interfaces: ['127.0.0.1', '192.0.2.10', '192.0.2.11', '2001:db8::a'],
  meant: {},
  lines: {},
  from: {
    '192.0.2.11': '192.0.2.11',
    '192.0.2.99': '192.0.2.10',
    '198.51.100.1': '192.0.2.10',
    '2001:db8::b': '2001:db8::a',
  },
};

it('by one program for all', () => {
  const batch = `${tables}
case "$*" in '-force -o -batch -') while read -r a b c; do case $a in addr) show;; route) way "$c";; esac; done;; *) exit 1;; esac`;
  expect(seen(asked, batch)).toEqual(known);
});

it('by one for each, where it knows no such thing', () => {
  const single = `${tables}
case "$*" in *-batch*) echo 'unknown option' >&2; exit 1;; '-o addr show') show;; '-o route get '*) way "$4";; esac`;
  expect(seen(asked, single)).toEqual(known);
});

it('and nothing where there is no such program', () => {
  expect(seen(asked, 'exit 127')).toEqual({ interfaces: [], meant: {}, lines: {}, from: {} });
});

it('of this machine, as its own program says it', () => {
  const said = seen(['127.0.0.1', '127.0.0.77'], `exec /usr/sbin/ip "$@"`);
  expect(said?.interfaces).toContain('127.0.0.1');
  expect(said?.from['127.0.0.1']).toBe('127.0.0.1');
  expect(said?.from['127.0.0.77']).toMatch(/^127\./);
});
