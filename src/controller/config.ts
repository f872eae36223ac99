/**
 * What the provisioner writes and the controller reads, by one type: network.conf and <serverIdentifier>.conf.
 * Rendering and parsing stand here together, so that the two worlds cannot drift apart. Pure.
 */

/** One line of network.conf. */
export interface ServerLine {
  readonly id: string;
  readonly host: string;
  readonly port: number;
}

export type HeartbeatErrorAction = 'arbitration' | 'command' | 'message' | 'fallback';

/** <serverIdentifier>.conf with every default filled in. Times in milliseconds, as the names say. */
export interface ServerConf {
  readonly dbInstance: string;
}
