/**
 * The real world for a verb: streams, clocks, randomness, the transport, the mask over everything that is shown.
 * Built once per process by execute.ts. The only place where output leaves the program.
 */

import { randomBytes } from 'node:crypto';
import { homedir, hostname, userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import type { Diagnostic } from '../base/diagnostic.ts';
import { ownValue } from '../base/own-value.ts';
import { Mask } from '../base/secret.ts';
import { diagnosticJson, renderDiagnostic } from '../report/diagnostic.ts';
import { harmless, jsonText, shownLines } from '../report/shown.ts';
import { openTransport } from '../transport/open.ts';
import type { Transport } from '../transport/port.ts';
import type { RestartWord } from './options.ts';
import type { NamedHost } from './verb.ts';

/** The options that every verb shares. */
export interface CommonOptions {
  readonly inventory: string;
  readonly check: boolean;
  readonly diff: boolean;
  readonly yes: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly colour: boolean;
  /** The one host that is changed, or reported on. */
  readonly limit?: string;
  /** Every host that the command line names. */
  readonly named: readonly NamedHost[];
  readonly acceptNewHostKeys: boolean;
  /** The host key that the command line names for the host that it names. */
  readonly hostKey?: string;
  readonly restart: RestartWord;
}

export interface World {
  readonly options: CommonOptions;
  readonly mask: Mask;
  readonly transport: Transport;
  readonly terminal: boolean;
  /** Columns of the terminal that data goes to; absent where it goes elsewhere, which wants long lines as they are. */
  readonly width?: number;
  readonly interrupted: AbortSignal;
  /** Data, to stdout. */
  print(text: string): void;
  /** Whether there was any. */
  printed(): boolean;
  /** Progress and errors, to stderr. */
  say(text: string): void;
  tell(diagnostics: readonly Diagnostic[]): void;
  /** Milliseconds since the program began. */
  elapsed(): number;
  nonce(): string;
  ask(question: string): Promise<string>;
  /** The person at this machine: "anna@desk". */
  readonly operator: string;
  /** Who runs, for the one whom the lock keeps out. */
  lockOwner(verb: string): string;
}

function namedKey({ hostKey, named: [first] }: CommonOptions) {
  return hostKey && first ? { namedKey: { host: first.host, fingerprint: hostKey } } : {};
}

export function realWorld(options: CommonOptions, interrupted: AbortSignal): World {
  const mask = new Mask();
  const write = (stream: NodeJS.WriteStream, text: string): void => {
    stream.write(`${harmless(mask.apply(text))}\n`);
  };
  const say = (text: string): void => write(process.stderr, text);
  const { username } = userInfo();
  let printed = false;
  return {
    options,
    mask,
    interrupted,
    terminal: process.stderr.isTTY === true && process.stdin.isTTY === true,
    ...(process.stdout.isTTY ? { width: process.stdout.columns } : {}),
    transport: openTransport({
      acceptNewHostKeys: options.acceptNewHostKeys,
      ...namedKey(options),
      env: {
        home: homedir(),
        user: username,
        variable: (name) => ownValue(process.env, name),
        ...(process.env.SSH_AUTH_SOCK ? { sshAuthSock: process.env.SSH_AUTH_SOCK } : {}),
      },
    }),
    print: (text) => {
      printed = true;
      write(process.stdout, text);
    },
    printed: () => printed,
    say,
    tell: (diagnostics) => {
      const width = process.stderr.isTTY ? { width: process.stderr.columns } : {};
      for (const diagnostic of diagnostics) {
        if (options.json) say(jsonText(diagnosticJson(diagnostic)));
        else say(`${renderDiagnostic(diagnostic, { color: options.colour, ...width })}\n`);
      }
    },
    elapsed: () => performance.now(),
    nonce: () => randomBytes(12).toString('hex'),
    ask: async (question) => {
      const reader = createInterface({ input: process.stdin, output: process.stderr });
      // In a terminal the reader itself gets Ctrl-C; it shall mean what it means everywhere else.
      reader.on('SIGINT', () => process.emit('SIGINT'));
      try {
        return await reader.question(mask.apply(shownLines(question).join('\n')), { signal: interrupted });
      } finally {
        reader.close();
      }
    },
    operator: `${username}@${hostname()}`,
    lockOwner: (verb) =>
      `${username}@${hostname()}, pgduet ${verb}, process ${process.pid}, since ${new Date().toISOString()}`,
  };
}
