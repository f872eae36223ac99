/** By which word a server follows another one: libpq looks its password up by the text of the connection string. */
import { describe, expect, it } from 'vitest';
import type { ServerConf } from '../../src/controller/config.ts';
import { addressOf } from '../../src/controller/core/handover.ts';
import { answer, boot, Conversation, heard, report, view } from './support/conversation.ts';

/** server1 is primary and has seen from where server2 replicates. */
const primary = (conf: Partial<ServerConf>) =>
  new Conversation('server1', 2, conf)
    .after(0, 'the controller starts and finds its instance running', boot({ running: true }))
    .after(10, 'the instance answers', answer(report('primary')))
    .after(5, 'server2 is a streaming standby', heard(view('server2', 'standby'))).state;

describe('where a server is replicated from', () => {
  it.each(['db2.example.com', 'FD00:0:0:0001::10', '198.51.100.2'])(
    'is %s where that is configured',
    (host) => {
      const state = primary({ logTransferAddresses: { server2: host } });
      expect(state.addresses.server2).toBe('192.0.2.110');
      expect(addressOf(state, 'server2')).toEqual({ host, port: 27500 });
    },
  );

  it('is as it was seen where nothing is configured for it', () => {
    const state = primary({ logTransferAddresses: { server3: 'db3' } });
    expect(addressOf(state, 'server2').host).toBe('192.0.2.110');
  });

  it('is where its controller is as long as it was not seen', () => {
    const state = { ...primary({}), addresses: {} };
    expect(addressOf(state, 'server2').host).toBe(state.peers.server2?.line.host);
  });
});
