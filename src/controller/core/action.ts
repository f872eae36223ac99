/**
 * Everything a controller can do to the world, in the order in which it must be done: what has to survive a crash
 * is persisted before anything that another host can see. A failed action comes back as an event.
 */
import type { PeerRequest } from './event.ts';
import type { MessageNumber } from './messages.ts';
import type { Persisted, ReplyTo, ServerId, ServerView } from './state.ts';

export type Action =
  | {
      readonly kind: 'log';
      readonly message: MessageNumber;
      readonly values: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'persist'; readonly persisted: Persisted }
  | { readonly kind: 'heartbeat'; readonly view: ServerView }
  /** Answers with `instance-started` or `start-failed`. */
  | { readonly kind: 'start-instance' }
  /** Fast shutdown; with `force` immediate shutdown when the fast one takes too long. */
  | { readonly kind: 'stop-instance'; readonly force: boolean }
  /** Tries the replication address of primary_conninfo; answers with `primary-probe`. */
  | { readonly kind: 'probe-primary' }
  | { readonly kind: 'ask-peer'; readonly peer: ServerId; readonly request: PeerRequest }
  | { readonly kind: 'reply'; readonly to: ReplyTo; readonly ok: boolean; readonly text: string }
  /** Ends the controller, after the replies before it are out. */
  | { readonly kind: 'exit'; readonly code: number };
