/** One PostgreSQL on this machine, on a port and in a directory of its own, for tests of what a server says to a session. */
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, must, programIngredients, uidOfOwner } from '../controller/support/pair.ts';
import { copyPrepared, type DataRecipe, memory } from '../controller/support/prepared-data.ts';

export { cannotRun, owner } from '../controller/support/pair.ts';

const fresh = (): DataRecipe => ({
  name: 'server',
  ingredients: [readFileSync(import.meta.filename, 'utf8'), ...programIngredients()],
  make(dir) {
    chownSync(dir, uidOfOwner(), -1);
    must('initdb', '-D', dir, '-A', 'peer', '-N');
  },
});

export class RealServer {
  readonly dir = mkdtempSync(join(memory, 'pgduet-server-'));
  readonly data = join(this.dir, 'data');
  port = 0;

  /** `settings` are lines of postgresql.conf, `files` others that have to be there before it starts. */
  async start(settings: readonly string[] = [], files: Readonly<Record<string, string>> = {}): Promise<void> {
    [this.port = 0] = await freePorts(1);
    chownSync(this.dir, uidOfOwner(), -1);
    mkdirSync(this.data);
    copyPrepared(fresh(), this.data);
    const own = [
      `port = ${this.port}`,
      "listen_addresses = '127.0.0.1'",
      `unix_socket_directories = '${this.dir}'`,
    ];
    this.write('postgresql.conf', `${[...own, 'fsync = off', ...settings].join('\n')}\n`);
    for (const [name, text] of Object.entries(files)) this.write(name, text);
    this.run('pg_ctl', '-D', this.data, '-w', '-l', join(this.dir, 'log'), 'start');
  }

  /** A program of PostgreSQL, as the owner of the server. */
  run(program: string, ...args: string[]): string {
    return must(program, ...args);
  }

  /** `database` may be a conninfo. */
  sql(text: string, database = 'postgres'): string {
    const place = ['-h', this.dir, '-p', String(this.port)];
    return this.run(
      'psql',
      '-X',
      '-qAt',
      '-v',
      'ON_ERROR_STOP=1',
      ...place,
      '-d',
      database,
      '-c',
      text,
    ).trim();
  }

  /** What it says where it refuses a statement; empty where it takes it. */
  refusal(text: string): string {
    try {
      this.sql(text);
      return '';
    } catch (error) {
      return String(error);
    }
  }

  /** In the data directory, as the server's own file. */
  write(name: string, text: string): void {
    writeFileSync(join(this.data, name), text, { mode: 0o600 });
    chownSync(join(this.data, name), uidOfOwner(), -1);
  }

  reload(): void {
    this.run('pg_ctl', '-D', this.data, 'reload');
  }

  stop(): void {
    if (existsSync(join(this.data, 'postmaster.pid')))
      this.run('pg_ctl', '-D', this.data, '-m', 'immediate', 'stop');
    rmSync(this.dir, { recursive: true, force: true });
  }
}
