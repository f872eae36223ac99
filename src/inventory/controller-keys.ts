/**
 * Keys of `<host>.conf` that the inventory gives under the names of the controller, and hands on as they are. A row is all
 * that such a key needs: the schema, the Cluster and the file follow from it. A key belongs here if it needs no check
 * besides its form; its default is that of the controller. In: nothing. Out: the table and its type. Pure.
 */
import * as z from 'zod';
import { largest } from './defaults.ts';

export const controllerKeys = z
  .strictObject({
    db_instance_timeout_action: z.enum(['none', 'message', 'failover', 'delayed_failover']).meta({
      description:
        'What the controller does when its instance does not answer: nothing, a message, or (on a primary) a switch as well, at once or after db_instance_failover_delay.',
      default: 'delayed_failover',
    }),
    db_instance_failover_delay: z.int().min(1).max(largest).meta({
      description:
        'Seconds without an answer of its instance, after which a primary with delayed_failover hands over.',
      default: 60,
    }),
    tablespace_directory_error_action: z.enum(['message', 'failover']).meta({
      description:
        'What a failed disk of a tablespace leads to: a message, or a switch or disconnection, as with the other disks.',
      default: 'message',
    }),
    replay_lag_warning: z.int().min(0).max(largest).meta({
      description:
        'MB of WAL that a standby may have yet to replay before the controllers warn; 0: any number.',
      default: 1024,
    }),
  })
  .partial();

/** What an inventory gives of them. */
export type ControllerKeys = Readonly<Partial<Required<z.infer<typeof controllerKeys>>>>;
