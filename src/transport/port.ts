/**
 * The port between the engine and a host: "run this script there". One Session is one shell on one host for a
 * whole run: one connection, one channel, one sudo. Adapters: ssh.ts, local.ts, fake.ts.
 * A script travels through standard input only; it never stands in argv or the environment of any process.
 */
import type { Host } from '../inventory/cluster.ts';

export interface Reply {
  /** Exit status of the script. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Called with whole lines of stderr as they arrive: progress of a base backup, for example. */
  readonly onLine?: (line: string) => void;
}

/** A lock on the cluster that lasts as long as the session's shell. */
export interface LockRequest {
  /** What the lock is for; becomes part of a file name in /run/lock (or /tmp where that is not writable). */
  readonly cluster: string;
  /** Who holds it, in words for the one who is refused, one line, such as "anna@laptop, provision, since 12:00:03". */
  readonly owner: string;
  /** How long to wait for another holder to let go. 0: not at all. */
  readonly waitMs: number;
}

export type LockReply = { readonly held: true } | { readonly held: false; readonly owner: string };

export interface Session {
  /**
   * Runs a POSIX shell script as root (or as the login user where the host has no become) and waits for its end.
   * Standard input of the script is empty. Rejects with a DiagnosticError (CON007) when the connection breaks.
   * One script at a time; scripts share no variables.
   */
  run(script: string, options?: RunOptions): Promise<Reply>;
  /** Takes the lock; it is released when the session ends, however it ends. */
  lock(request: LockRequest): Promise<LockReply>;
  /** How many scripts were run: the round trips after the handshake. */
  readonly roundTrips: number;
  /** Ends the shell and the connection. A script that still runs on the host is ended with its process group. */
  close(): Promise<void>;
  /** Ends the session without waiting for its end. Only for one that holds no lock and has answered everything. */
  leave(): void;
}

export interface Transport {
  /** Opens the session, or rejects with a DiagnosticError that says why not (CON001…CON009). */
  open(host: Host): Promise<Session>;
}
