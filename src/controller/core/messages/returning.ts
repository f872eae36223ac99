/**
 * Messages about a primary that comes back, or stays away because another server may be primary. Numbers never change
 * their meaning. Pure.
 */
import type { Message } from './message.ts';

export const returningMessages = {
  MCA01070: {
    type: 'ERROR',
    text: 'the instance is not started yet: {peers} may have taken over and is not heard',
    cause:
      'This server was primary. The named one may have become primary since, and may hold commits that are missing here.',
    did: 'It waits for the word of that server and starts by itself as soon as it hears that nobody has taken over.',
    todo: 'Start the other server. If it is lost, look for MCA00062 in its log; only if it never took over: `mc_ctl start` here.',
  },
  MCA01071: {
    type: 'ERROR',
    text: 'the instance is not started: {peer} was primary after this server',
    cause:
      'A newer primary is known, though its instance does not run at the moment. It may hold commits that are missing here.',
    did: 'The instance stays stopped, and the controller keeps watching.',
    todo: 'Start that server and rebuild this one as its standby. Only if it is lost for good: `mc_ctl start` here.',
  },
  MCA01072: {
    type: 'WARNING',
    text: 'starting the instance again, attempt {attempt} of {attempts}: no standby can take over',
    cause:
      'The instance of the primary has gone away, or did not start, and there is nobody to hand over to.',
    did: 'It first makes sure that no other server is primary, then starts the instance, which recovers from its WAL.',
    todo: 'Read the server log for the reason of the crash.',
  },
  MCA01073: {
    type: 'FATAL',
    text: 'the instance is not started again: {attempts} attempts in a row have failed',
    cause: 'The instance ended again and again, or could not be started.',
    did: 'It stays stopped. If a standby can take over, it is handed over to that one.',
    todo: 'Correct what the server log and the startup log name, then `mc_ctl start`.',
  },
  MCA01080: {
    type: 'NOTICE',
    text: 'the state file can be written again, after {seconds} s',
    cause: 'The management directory has room again, or was repaired.',
    did: 'The controller goes on. It hears the other servers anew before it decides anything that depends on them.',
    todo: 'Nothing.',
  },
  MCA01114: {
    type: 'ERROR',
    text: 'the instance is not started yet: no other server is heard, and no reference address answers',
    cause: 'This server was primary and is perhaps cut off, so that another one may have taken over.',
    did: 'It waits, and starts by itself as soon as a reference address answers or another server is heard and nobody has taken over.',
    todo: 'Repair the network of this host. Only if no other server has taken over: `mc_ctl start` here.',
  },
} as const satisfies Readonly<Record<string, Message>>;
