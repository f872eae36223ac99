/** What a kind may ask of the world while its fields are read: values that the playbook cannot hold itself. Types only. */
import type { Result } from '../../base/diagnostic.ts';
import type { Secret } from '../../base/secret.ts';

/** Where one PostgreSQL instance answers to its administrator. */
export interface Instance {
  readonly dataDir: string;
  readonly socketDir: string;
  readonly port: number;
  readonly owner: string;
}

/** The server of the host, as the inventory places it. */
export interface ServerPlace extends Instance {
  /** The server identifier. */
  readonly id: string;
  /** Where WAL goes; absent: `pg_wal` in the data directory. */
  readonly walDir?: string;
  readonly managementDir: string;
  /** Major version of PostgreSQL. */
  readonly version: number;
  /** Path of `mc_ctl` on the host. */
  readonly mcCtl: string;
}

export interface ParseContext {
  /** Absent on a host without a server. */
  readonly server?: ServerPlace;
  /** The value behind `!secret NAME`; undefined when there is no such secret. */
  secret(name: string): Secret | undefined;
  /** Renders a file of templates/ with the variables of this host; undefined when there is no such template. */
  render(template: string): Result<string>;
  /** The text of a file that pgduet ships, such as the controller's bundle. */
  asset(name: string): string | undefined;
  /** 16 random bytes as hex, new for every run, for salts. */
  readonly entropy: string;
}

/** What a kind is given that is about the server of its host. */
export type ServerContext = ParseContext & { readonly server: ServerPlace };
