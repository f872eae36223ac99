/** Messages on their way to the journal, as a socket sees them that takes the place of journald's. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openJournal } from '../../src/controller/io/journal.ts';
import { journalStream } from '../../src/controller/io/journal-stream.ts';

const dir = mkdtempSync(join(tmpdir(), 'pgduet-journal-'));
const path = join(dir, 'stdout');
const settings = { ident: 'mc_inst1', facility: 'LOCAL5' };

/** What sd_journal_stream_fd(3) sends: name, unit, facility and priority, and the four flags. */
const header = (ident: string, priority: number): string => `${ident}\n\n${priority}\n1\n0\n0\n0\n`;

describe('the stream to the journal', () => {
  let server: Server;
  let texts: string[];
  let sockets: Socket[];
  const listen = async (): Promise<void> => {
    texts = [];
    sockets = [];
    server = createServer((socket) => {
      const index = texts.push('') - 1;
      sockets.push(socket);
      socket.setEncoding('utf8').on('data', (text: string) => {
        texts[index] += text;
      });
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
  };
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  const until = async (expected: readonly string[]): Promise<void> => {
    for (let waited = 0; waited < 10_000 && texts.join() !== expected.join(); waited += 5) await sleep(5);
    expect(texts).toEqual(expected);
  };
  const journal = () => openJournal(settings, (all) => journalStream(all, path));

  beforeEach(listen);
  afterEach(close);

  it('has the name and the facility of the configuration, and no doubled name', async () => {
    const log = journal();
    log.log('MCA01001', {});
    const line = /^<6>LOG: .* \(MCA01001\)\n$/;
    await vi.waitFor(() => expect(texts[0]?.slice(header('mc_inst1', 174).length)).toMatch(line));
    expect(texts[0]?.startsWith(header('mc_inst1', 21 * 8 + 6))).toBe(true);
    log.close();
  });

  it('is another one after a reload with another name or facility, and the same after any other', async () => {
    const stream = vi.fn((all: typeof settings) => journalStream(all, path));
    const log = openJournal(settings, stream);
    log.configure({ ...settings });
    log.configure({ ...settings, facility: 'LOCAL0' });
    log.configure({ ident: 'other', facility: 'LOCAL0' });
    expect(stream.mock.calls.map(([all]) => all)).toEqual([
      settings,
      { ...settings, facility: 'LOCAL0' },
      { ident: 'other', facility: 'LOCAL0' },
    ]);
    log.close();
  });

  it('keeps what is said before it is there, in its order', async () => {
    const stream = journalStream(settings, path);
    for (const word of ['one', 'two', 'three']) stream.write(`<6>${word}\n`);
    await until([`${header('mc_inst1', 174)}<6>one\n<6>two\n<6>three\n`]);
    stream.close();
  });

  it('is opened anew where journald has closed it', async () => {
    const stream = journalStream(settings, path);
    stream.write('<6>one\n');
    await until([`${header('mc_inst1', 174)}<6>one\n`]);
    const ended = new Promise((resolve) => sockets[0]?.on('close', resolve));
    sockets[0]?.destroy();
    await ended;
    await vi.waitFor(() => {
      stream.write('<6>two\n');
      expect(texts.length).toBe(2);
    });
    await vi.waitFor(() => expect(texts[1]).toMatch(/\n<6>two\n$/));
    stream.close();
  });

  it('gives back to stderr what the journal does not take', async () => {
    await close();
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      const stream = journalStream(settings, path);
      stream.write('<6>one\n');
      await vi.waitFor(() => expect(write.mock.calls.map(([text]) => text)).toContain('<6>one\n'));
      stream.write('<6>two\n');
      stream.close();
      expect(write.mock.calls.map(([text]) => text)).toEqual(['<6>one\n', '<6>two\n']);
    } finally {
      write.mockRestore();
      await listen();
    }
  });
});

process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
