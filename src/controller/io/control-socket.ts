/**
 * <serverIdentifier>.sock in the management directory: how mc_ctl talks to the controller of its machine.
 * The process must stand in the management directory: the address is relative, because the system allows only about
 * 107 bytes for it. Mode 0600 comes from the umask; who can open it is the instance administrator.
 */
import { unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { ControlRequest } from '../core/event.ts';
import type { StatusReport } from '../core/status.ts';
import { frame, frameReader } from './frames.ts';

export type Request = ControlRequest | { readonly kind: 'status' };

export interface Reply {
  readonly ok: boolean;
  readonly text: string;
  /** busy: another command is under way; nothing was done. */
  readonly code?: 'busy' | undefined;
  readonly status?: StatusReport;
}

const path = (id: string): string => `./${id}.sock`;

/** What is asked and told are those of a controller, unless another program says otherwise. */
export class ControlSocket<Asked = Request, Told extends object = Reply> {
  readonly #server: Server;
  readonly #waiting = new Map<number, Socket>();
  #ids = 0;

  /** `onRequest` answers by `reply` with the number it was given, now or later. */
  constructor(onRequest: (id: number, request: Asked) => void) {
    this.#server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      const read = (value: Record<string, unknown>): void => {
        this.#ids += 1;
        this.#waiting.set(this.#ids, socket);
        onRequest(this.#ids, value as unknown as Asked);
      };
      socket.on(
        'data',
        frameReader(read, () => socket.destroy()),
      );
    });
  }

  /** The lock is held when this is called, so a file of that name is left over from a crash. */
  listen(id: string): Promise<void> {
    try {
      unlinkSync(path(id));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(path(id), () => {
        // A connection that cannot be taken, for want of open files, is lost, and no more.
        this.#server.off('error', reject).on('error', () => undefined);
        resolve();
      });
    });
  }

  reply(id: number, reply: Told): void {
    this.#waiting.get(id)?.end(frame(reply));
    this.#waiting.delete(id);
  }

  close(): void {
    this.#server.close();
  }
}

export type CallResult<Told = Reply> =
  | { readonly kind: 'reply'; readonly reply: Told }
  | { readonly kind: 'not-running' }
  | { readonly kind: 'no-answer' };

/** One request to the controller of server `id`. The caller stands in the management directory. 0 ms: no limit. */
export const callController = (id: string, request: Request, timeoutMs: number): Promise<CallResult> =>
  callSocket<Reply>(id, request, timeoutMs);

/** The same, to a program of any kind. */
export function callSocket<Told>(id: string, request: object, timeoutMs: number): Promise<CallResult<Told>> {
  return new Promise((resolve, reject) => {
    const socket = connect(path(id));
    const timer = timeoutMs > 0 ? setTimeout(() => done({ kind: 'no-answer' }), timeoutMs) : undefined;
    const done = (result: CallResult<Told>): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    socket.on('connect', () => socket.write(frame(request)));
    socket.on('error', (error: Error & { code?: string }) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') done({ kind: 'not-running' });
      else if (error.code === 'ECONNRESET' || error.code === 'EPIPE') done({ kind: 'no-answer' });
      else reject(error);
    });
    socket.on('close', () => done({ kind: 'no-answer' }));
    const read = (value: Record<string, unknown>): void =>
      done({ kind: 'reply', reply: value as unknown as Told });
    socket.on(
      'data',
      frameReader(read, () => done({ kind: 'no-answer' })),
    );
  });
}
