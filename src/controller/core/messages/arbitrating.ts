/**
 * Messages about arbiters: of an arbiter itself (MCR), and what a controller says of its times. In: nothing; these are words. Pure.
 */
import type { Message } from './message.ts';
import { nothing } from './message.ts';

export const arbitratingMessages = {
  MCA00213: {
    type: 'WARNING',
    text: 'a silent server is given up after {seconds} s, but the arbiter {arbiter} prefers a silent primary for {patience} s',
    cause:
      'heartbeat_interval and heartbeat_timeout of arbitration.conf are too large for the times of this server.',
    did: 'It asks the arbiter as ever. A takeover waits until the arbiter does not count on the primary any more.',
    todo: 'Give the arbiter the same heartbeat_interval and heartbeat_timeout as the servers.',
  },
  MCR00001: {
    type: 'INFO',
    text: 'arbiter {version} started in {dir} for {count} clusters',
    cause: 'The service was started.',
    did: 'It answers the servers of each cluster.',
    todo: nothing,
  },
  MCR00002: {
    type: 'INFO',
    text: 'arbiter stopped',
    cause: 'The service was stopped.',
    did: 'It ended. As long as the servers hear each other nothing happens without it.',
    todo: nothing,
  },
  MCR00003: {
    type: 'INFO',
    text: 'the configuration was read again: {clusters}',
    cause: 'A person, or pgduet, has asked for it.',
    did: 'Clusters were taken up, changed or left as the files say.',
    todo: nothing,
  },
  MCR00004: {
    type: 'ERROR',
    text: 'the configuration of cluster {cluster} was not read: {why}',
    cause: 'A file of the cluster has mistakes.',
    did: 'The cluster is answered by the configuration that was in force; one that is new is not answered.',
    todo: 'Correct the files, then `mc_arb reload`.',
  },
  MCR00005: {
    type: 'ERROR',
    text: 'the configuration was not read: {why}',
    cause: 'arbitration.conf has mistakes, or a change in it needs a restart.',
    did: 'Everything is as it was.',
    todo: 'Correct the file, then `mc_arb reload`; or restart the arbiter.',
  },
  MCR00006: {
    type: 'NOTICE',
    text: 'cluster {cluster}: {server} is online',
    cause: 'The first word of it, or the first one after a silence.',
    did: nothing,
    todo: nothing,
  },
  MCR00007: {
    type: 'WARNING',
    text: 'cluster {cluster}: {server} is offline',
    cause: 'Its controller does not run, its host is down, or the network is cut.',
    did: 'Nothing. The arbiter judges nobody; it answers who asks.',
    todo: 'Look at the server with `mc_ctl status`.',
  },
  MCR00008: {
    type: 'NOTICE',
    text: 'cluster {cluster}: term {term} is given to {server}',
    cause: 'The server has asked for it, because another one is silent or the register changes.',
    did: 'It was written down, and told. No other server gets this term.',
    todo: 'Nothing. Read the log of that server to see what it does.',
  },
  MCR00009: {
    type: 'NOTICE',
    text: 'cluster {cluster}: term {term} was given back',
    cause: 'The server that had asked for it does not need it any more.',
    did: 'It was written down. The term can be given away again.',
    todo: nothing,
  },
  MCR00010: {
    type: 'NOTICE',
    text: 'cluster {cluster}: the cell is a new one ({id}), because {why}',
    cause:
      'It is the first start, its file was damaged, or a server has told of a term that the cell knew nothing of: an old disk.',
    did: 'Promises that name the former cell get no answer. The primary names the new one as soon as it hears all servers.',
    todo: 'Nothing, unless this comes after a restore: do not restore cell.json.',
  },
  MCR00011: {
    type: 'ERROR',
    text: 'cluster {cluster}: the cell cannot be written: {why}',
    cause: 'The disk is full or broken, or the file system is read-only.',
    did: 'Nobody of this cluster is answered. It tries again with each heartbeat.',
    todo: 'Make room in the management directory, or repair the disk; it goes on by itself.',
  },
  MCR00012: {
    type: 'NOTICE',
    text: 'cluster {cluster}: the cell can be written again',
    cause: 'There is room again, or the disk was repaired.',
    did: 'The servers are answered.',
    todo: nothing,
  },
  MCR00013: {
    type: 'WARNING',
    text: 'a connection from {from} was refused: {why}',
    cause:
      'Another key than that of a cluster, a server that does not prove its own key, one that network.conf does not name, or a program that does not belong here.',
    did: 'The connection was ended. The same address is named once a minute.',
    todo: 'If it is a server of a cluster: `pgduet provision` gives both sides keys that belong together, and the same network.conf.',
  },
  MCR00014: {
    type: 'LOG',
    text: 'cluster {cluster}: {server} has proven its own key',
    cause: 'pgduet has laid the keys of the servers and of the arbiter, and both sides use them.',
    did: 'Who calls itself {server} of this cluster has to prove that key from now on. The key of the cluster alone is refused.',
    todo: nothing,
  },
  MCR00015: {
    type: 'WARNING',
    text: 'cluster {cluster}: that {server} has proven its own key could not be written down: {why}',
    cause: 'The management directory cannot be written to.',
    did: 'The key is demanded until this arbiter ends. Its next start believes the key of the cluster alone until {server} calls.',
    todo: 'Make room, or repair the disk; then restart the arbiter.',
  },
  MCR00094: {
    type: 'WARNING',
    text: 'cluster {cluster}: {server} gives a silent server up after {seconds} s, but this arbiter prefers a silent primary for {patience} s',
    cause:
      'heartbeat_interval and heartbeat_timeout of arbitration.conf are too large for the times of that server.',
    did: 'It answers as ever. A takeover waits until the arbiter does not count on the primary any more.',
    todo: 'Give the arbiter the same heartbeat_interval and heartbeat_timeout as the servers.',
  },
} as const satisfies Readonly<Record<string, Message>>;
