/**
 * The session protocol: one shell on a host that runs script after script. In: a plain duplex to the entry command
 * of `remote-shell.ts`. Out: a Session. Requests may be written before earlier ones were answered; answers come in order.
 * Must never: put a script anywhere but into standard input; leave a request unanswered when the shell is gone.
 */
import { randomBytes } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import type { DiagnosticError } from '../base/diagnostic.ts';
import { splitFrames, splitLines } from './frames.ts';
import { lockReply } from './lock.ts';
import type { LockReply, LockRequest, Reply, RunOptions, Session } from './port.ts';
import { evidenceOf, refusal, tooLong } from './refusal.ts';
import { bootLines, defaultPulse, lockScript, markerOf, type Pulse, requestOf } from './remote-shell.ts';

/** A shell somewhere: its three streams, its end, and the way to end it. */
export interface ShellStreams {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the shell is gone, with the reason in words, such as "the host closed the connection". */
  readonly gone: Promise<string>;
  /** Ends the connection. Standard input was ended before. */
  close(): Promise<void>;
  /** The same, without waiting for what the other end does then. */
  leave(): void;
}

interface Pending {
  readonly out: Buffer[];
  readonly err: Buffer[];
  readonly lines?: ReturnType<typeof splitLines>;
  /** Exit status, from the boundary on stdout. */
  status?: number;
  /** True when the boundary on stderr has come. */
  errDone?: boolean;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: DiagnosticError) => void;
}

/**
 * Bytes of one answer, both outputs together. A file of settings has some tens of kilobytes, and the progress of a copy that
 * takes a day some megabytes.
 */
const longestAnswer = 64 * 1024 * 1024;

/** One shell on one host, from its start to its end. */
class ShellSession implements Session {
  readonly #host: string;
  readonly #streams: ShellStreams;
  readonly #queue: Pending[] = [];
  readonly #heartbeat: NodeJS.Timeout;
  readonly #longest: number;
  /** Bytes since the last answer was whole. */
  #arrived = 0;
  #runs = 0;
  #started = false;
  #ended: string | undefined;
  #closing: Promise<void> | undefined;

  constructor(host: string, streams: ShellStreams, pulse: Pulse, longest: number) {
    this.#longest = longest;
    const nonce = randomBytes(16).toString('hex');
    this.#host = host;
    this.#streams = streams;
    this.#listen(markerOf(nonce));
    streams.gone.then((reason) => this.#end(reason));
    // A write to a shell that is gone fails; the reason comes through `gone`.
    streams.stdin.on('error', () => undefined);
    this.#ask(Buffer.from(bootLines(nonce, pulse.silenceSeconds))).then(
      () => {
        this.#started = true;
      },
      () => undefined,
    );
    this.#heartbeat = setInterval(() => this.#streams.stdin.write('\n'), pulse.heartbeatMs);
    this.#heartbeat.unref();
  }

  get roundTrips(): number {
    return this.#runs;
  }

  run(script: string, options: RunOptions = {}): Promise<Reply> {
    this.#runs += 1;
    return this.#ask(requestOf('run', script), options.onLine);
  }

  lock(request: LockRequest): Promise<LockReply> {
    const asked = this.#ask(requestOf('own', lockScript(request))).then((reply) =>
      lockReply(this.#host, reply),
    );
    asked.catch(() => undefined);
    return asked;
  }

  close(): Promise<void> {
    this.#closing ??= this.#shut();
    return this.#closing;
  }

  leave(): void {
    this.#closing ??= Promise.resolve();
    this.#end('it was closed by this run');
    this.#streams.stdin.end();
    this.#streams.leave();
  }

  async #shut(): Promise<void> {
    this.#end('it was closed by this run');
    this.#streams.stdin.end();
    await this.#streams.close();
  }

  #ask(request: Buffer, onLine?: (line: string) => void): Promise<Reply> {
    const answer = new Promise<Reply>((resolve, reject) => {
      const lines = onLine ? { lines: splitLines(onLine) } : {};
      const pending: Pending = { out: [], err: [], resolve, reject, ...lines };
      if (this.#ended !== undefined) return reject(this.#broken(this.#ended));
      this.#queue.push(pending);
      this.#streams.stdin.write(request);
    });
    // Answers of pipelined requests are awaited later; a rejection before that is not a stray one.
    answer.catch(() => undefined);
    return answer;
  }

  #listen(marker: Buffer): void {
    const out = splitFrames(marker, {
      data: (bytes) => this.#queue.find((pending) => pending.status === undefined)?.out.push(bytes),
      boundary: (word) => {
        const pending = this.#queue.find((candidate) => candidate.status === undefined);
        if (pending) pending.status = Number(word);
        this.#settle();
      },
    });
    const err = splitFrames(marker, {
      data: (bytes) => {
        const pending = this.#queue.find((candidate) => !candidate.errDone);
        pending?.err.push(bytes);
        pending?.lines?.push(bytes);
      },
      boundary: () => {
        const pending = this.#queue.find((candidate) => !candidate.errDone);
        if (pending) pending.errDone = true;
        this.#settle();
      },
    });
    this.#read(this.#streams.stdout, out);
    this.#read(this.#streams.stderr, err);
  }

  /** A host that never comes to an end must not fill the memory here; nothing more of it is read. */
  #read(stream: Readable, take: (chunk: Buffer) => void): void {
    const onData = (chunk: Buffer): void => {
      this.#arrived += chunk.length;
      if (this.#arrived <= this.#longest) {
        take(chunk);
        return;
      }
      stream.off('data', onData);
      stream.resume();
      this.#end('it says too much', tooLong(this.#host, this.#longest));
      this.leave();
    };
    stream.on('data', onData);
  }

  #settle(): void {
    const [head] = this.#queue;
    if (head?.status === undefined || !head.errDone) return;
    this.#queue.shift();
    this.#arrived = 0;
    head.lines?.end();
    head.resolve({
      status: head.status,
      stdout: Buffer.concat(head.out).toString('utf8'),
      stderr: Buffer.concat(head.err).toString('utf8'),
    });
    this.#settle();
  }

  #end(reason: string, error?: DiagnosticError): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    clearInterval(this.#heartbeat);
    const [head] = this.#queue;
    const seen = head ? Buffer.concat([...head.out, ...head.err]).toString('utf8') : '';
    for (const pending of this.#queue.splice(0)) pending.reject(error ?? this.#broken(reason, seen));
  }

  #broken(reason: string, seen = ''): DiagnosticError {
    const early = !this.#started;
    return refusal({
      code: 'CON007',
      what: early
        ? `the shell on '${this.#host}' ended before its first answer: ${reason}`
        : `the connection to '${this.#host}' broke: ${reason}`,
      why: early
        ? 'pgduet needs a POSIX shell (sh), dd and setsid there, and a login that is allowed to use them'
        : 'what was running there has been ended; how far it came is not known',
      fix: early
        ? `Log in to '${this.#host}' by hand as the same user and run: sh -c 'command -v dd setsid'`
        : 'Run the same command again: it looks first and continues where this run ended.',
      host: this.#host,
      ...evidenceOf(seen),
    });
  }
}

/** A session on a shell that was just started and waits for its first line of input. `host` names it in messages. */
export function openSession(
  host: string,
  streams: ShellStreams,
  pulse: Pulse = defaultPulse,
  longest = longestAnswer,
): Session {
  return new ShellSession(host, streams, pulse, longest);
}
