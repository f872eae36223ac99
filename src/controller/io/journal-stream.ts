/**
 * A stream of our own to the journal, as systemd makes one for the output of a unit: with the name and the facility that the configuration gives,
 * which are those of the unit's program otherwise. In: lines, each with its priority in front. What the journal does not take goes to stderr.
 * Never blocks: where journald stands still, lines beyond a limit are counted in place of kept.
 */
import { connect, type Socket } from 'node:net';

export interface JournalSettings {
  readonly ident: string;
  /** LOCAL0 … LOCAL7. */
  readonly facility: string;
}

export interface LineStream {
  write(line: string): void;
  close(): void;
}

const journalSocket = '/run/systemd/journal/stdout';
const info = 6;
const keptBytes = 1024 ** 2;

/** Syslog numbers local0 … local7 from 16 on, as they stand in front of the priority. */
export const facilityCode = (facility: string): number => (16 + Number(facility.slice(-1))) * 8;

/**
 * What sd_journal_stream_fd(3) sends first: name, unit (the journal sees it by itself), facility and priority, "lines begin with a priority", and
 * that nothing is forwarded besides what journald.conf says.
 */
const header = ({ ident, facility }: JournalSettings): string =>
  [ident, '', facilityCode(facility) + info, 1, 0, 0, 0, ''].join('\n');

export function journalStream(settings: JournalSettings, path = journalSocket): LineStream {
  let socket: Socket | undefined;
  let waiting: string[] = [];
  let lost = 0;
  const giveBack = (): void => {
    for (const line of waiting) process.stderr.write(line);
    waiting = [];
  };
  /** A journald that was restarted goes on with the stream; where it does not, the next line opens another one. */
  const open = (): Socket => {
    const next = connect(path).unref();
    next.write(header(settings));
    next.on('connect', () => {
      for (const line of waiting) next.write(line);
      waiting = [];
    });
    const end = (): void => {
      next.destroy();
      if (socket === next) socket = undefined;
      giveBack();
    };
    next.on('error', end).on('close', end).on('end', end).resume();
    return next;
  };
  process.on('exit', giveBack);
  return {
    write(line) {
      socket ??= open();
      if (socket.connecting) waiting.push(line);
      else if (socket.writableLength > keptBytes) lost += 1;
      else {
        if (lost > 0) socket.write(`<4>the journal has not taken ${lost} messages before this one\n`);
        lost = 0;
        socket.write(line);
      }
    },
    close() {
      process.off('exit', giveBack);
      if (socket?.connecting) giveBack();
      socket?.end();
    },
  };
}
