/**
 * The desk of an operator: a directory with `inventory.yml`, where `pgduet` and `ssh SERVER` work as the pages of docs/runbooks write them. In: a
 * cluster on lab hosts. Out: what a block of commands says. Questions are answered with yes. It must never change a command, but for the
 * addresses that the documents have as an example.
 */
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RunResult, run } from '../harness/run.ts';
import type { LabCluster } from './cluster.ts';

const program = join(process.cwd(), 'dist/pgduet.js');

export class Desk {
  readonly #dir: string;
  readonly #addresses: Readonly<Record<string, string>>;

  /** `addresses`: those of the hosts, by the ones that stand on the page. */
  constructor({ lab, hosts, file }: LabCluster, addresses: Readonly<Record<string, string>> = {}) {
    this.#addresses = addresses;
    this.#dir = join(lab.dir, 'desk');
    mkdirSync(join(this.#dir, 'bin'), { recursive: true });
    copyFileSync(file, join(this.#dir, 'inventory.yml'));
    const each = hosts.map(({ name, address }) => `Host ${name}\n  HostName ${address}\n`);
    const all = `Host *\n  User root\n  IdentityFile ${lab.key}\n  UserKnownHostsFile ${lab.knownHosts}\n  LogLevel ERROR\n`;
    writeFileSync(join(this.#dir, 'ssh_config'), [...each, all].join(''));
    this.#command('ssh', `exec /usr/bin/ssh -F ${this.#dir}/ssh_config "$@"`);
    this.#command(
      'pgduet',
      `case "$1 $*" in status*|check*|*--check*) ;; *) set -- "$@" --yes;; esac\nexec ${process.execPath} ${program} "$@"`,
    );
  }

  /** One block of a page: the lines of one shell. One that begins with a login goes on there. */
  do(page: string): Promise<RunResult> {
    const block = Object.entries(this.#addresses).reduce(
      (text, [one, other]) => text.replaceAll(one, other),
      page,
    );
    const [first = '', ...rest] = block.split('\n');
    const login = /^ssh -t (\S+) sudo -iu postgres$/.exec(first)?.[1];
    const env = { HOME: this.#dir, LANG: 'C.UTF-8', PATH: `${this.#dir}/bin:${process.env.PATH ?? ''}` };
    const patience = { env, timeoutMs: 240_000 };
    // A program of a block must not read what stands behind it.
    if (login === undefined)
      return run('bash', ['-ec', `cd '${this.#dir}'\n${block}`], { ...patience, input: '' });
    const there = ['-c', `exec '${this.#dir}/bin/ssh' ${login} sudo -iu postgres bash -se`];
    return run('bash', there, { ...patience, input: `${rest.join('\n')}\n` });
  }

  #command(name: string, text: string): void {
    const path = join(this.#dir, 'bin', name);
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
  }
}
