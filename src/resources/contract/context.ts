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

export interface ParseContext {
  readonly host: string;
  readonly instance: Instance;
  /** The value behind `!secret NAME`; undefined when there is no such secret. */
  secret(name: string): Secret | undefined;
  /** Renders a file of templates/ with the variables of this host; undefined when there is no such template. */
  render(template: string): Result<string>;
  /** The text of a file that pgduet ships, such as the controller's bundle. */
  asset(name: string): string | undefined;
  /** 16 random bytes as hex, new for every run, for salts. */
  readonly entropy: string;
}
