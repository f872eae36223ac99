/** The catalogue of messages and its document. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { serverKeys } from '../../src/controller/config.ts';
import {
  type MessageNumber,
  messageLine,
  messagePriority,
  messages,
  messagesDocument,
  messageText,
} from '../../src/controller/core/messages.ts';
import { helpText, modes } from '../../src/controller/ctl-help.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('messages', () => {
  it('have the form that log watchers look for', () => {
    expect(messageLine('MirroringControllerOpen', 30017, 'MCA00062', {})).toBe(
      'MirroringControllerOpen[30017]: LOG: promotion processing completed (MCA00062)',
    );
  });

  it('fill in parameters on one line', () => {
    expect(messageText('MCA01019', { peer: 'server2', seconds: '5.6' })).toBe(
      'no heartbeat from server2 for 5.6 s',
    );
    expect(messageText('MCA01008', { why: 'one\nMirroringControllerOpen[1]: LOG: forged' })).not.toContain(
      '\n',
    );
  });

  it('map types to syslog priorities', () => {
    const wanted = { LOG: 6, INFO: 6, NOTICE: 5, WARNING: 4, ERROR: 3, FATAL: 2, PANIC: 1 };
    for (const [number, { type }] of Object.entries(messages)) {
      expect([number, messagePriority(number as MessageNumber)]).toEqual([number, wanted[type]]);
    }
  });

  it('docs/messages.md is the catalogue', () => {
    expect(read('docs/messages.md')).toBe(messagesDocument());
  });

  it('docs/mc_ctl.md explains every key', () => {
    const document = read('docs/mc_ctl.md');
    for (const { key, expected } of Object.values(serverKeys))
      expect(document).toContain(`| \`${key}\` | ${expected} |`);
  });

  it('docs/mc_ctl.md shows every help text', () => {
    const document = read('docs/mc_ctl.md');
    for (const mode of [undefined, ...modes]) expect(document).toContain(helpText(mode).trim());
  });
});
