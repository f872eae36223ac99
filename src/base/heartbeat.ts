/** When a silent server is given up. Pure. */

export interface Heartbeat {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** How many silences in a row are waited for besides the first one. */
  readonly retries: number;
}

export const giveUpMs = ({ intervalMs, timeoutMs, retries }: Heartbeat): number =>
  (timeoutMs + intervalMs) * (retries + 1);
