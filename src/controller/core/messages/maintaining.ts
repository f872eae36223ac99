/** Messages about servers in maintenance. Numbers never change their meaning. Pure. */
import type { Message } from './message.ts';

export const maintainingMessages = {
  MCA01150: {
    type: 'NOTICE',
    text: '{server} is in maintenance {words}',
    cause: 'A person has put it into maintenance.',
    did: 'No commit waits for it, it takes no role, and its controller starts no instance by itself.',
    todo: 'When the work is done: `pgduet maintenance end`, or `mc_ctl maintenance end --server ID`.',
  },
  MCA01151: {
    type: 'NOTICE',
    text: 'the maintenance of {server} is over',
    cause: 'A person has ended it, or that server has become primary by a forced takeover.',
    did: 'Its controller starts the instance as that of any standby. It joins again once it streams.',
    todo: 'Nothing.',
  },
  MCA01152: {
    type: 'WARNING',
    text: 'the maintenance of {server} has not begun: {why}',
    cause: 'Between the question and the moment in which nobody relied on it any more something has changed.',
    did: 'It counts as before.',
    todo: 'Look at `mc_ctl status`, and ask again.',
  },
  MCA01153: {
    type: 'NOTICE',
    text: 'the instance is not started: this server is in maintenance {words}',
    cause: 'The controller was started, or has heard of the maintenance before it had started the instance.',
    did: 'The controller runs, and leaves the instance alone.',
    todo: 'When the work is done: `pgduet maintenance end`. To start it meanwhile: `mc_ctl start --force-start`.',
  },
  MCA01154: {
    type: 'ERROR',
    text: 'the instance is not started: {peer}, which is in maintenance, runs as primary',
    cause: 'Somebody has promoted it by hand. It leads no standby, but clients may have written there.',
    did: 'The instance stays stopped, and the controller keeps watching.',
    todo: 'Look which of the two counts. If it is this one: stop the other one, then `mc_ctl start` here.',
  },
  MCA01155: {
    type: 'ERROR',
    text: 'nothing can be written down in the management directory: {why}',
    cause: 'The directory was removed, or its disk is full, read-only or broken.',
    did: 'The instance goes on, and the controller tells the others. It takes over from nobody and gives its role to nobody, since it could not remember that.',
    todo: 'Make room, or have the disk repaired. Where the directory is gone do not end the controller: it alone knows what it has promised.',
  },
  MCA01156: {
    type: 'NOTICE',
    text: 'the management directory can be written to again',
    cause: 'There is room again, or its disk was repaired.',
    did: 'Everything is as before.',
    todo: '',
  },
} as const satisfies Record<string, Message>;
