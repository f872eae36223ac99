/** What happens during a run, as data. `report/` shows it; nothing is decided by it. */

import type { Intent } from '../intent/intent.ts';
import type { View } from '../observe/survey.ts';
import type { Plan } from '../plan/plan.ts';
import type { Progress } from '../resources/contract/kind.ts';
import type { LockReply } from '../transport/port.ts';

export type RunEvent =
  | { readonly kind: 'opening'; readonly host: string; readonly address: string }
  | { readonly kind: 'opened'; readonly host: string; readonly ms: number }
  | { readonly kind: 'locked'; readonly host: string; readonly reply: LockReply }
  | { readonly kind: 'observed'; readonly host: string; readonly ms: number; readonly probes: number }
  | { readonly kind: 'planned'; readonly plan: Plan; readonly view: View; readonly intent: Intent }
  | {
      readonly kind: 'batch';
      readonly number: number;
      readonly hosts: readonly { readonly host: string; readonly titles: readonly string[] }[];
    }
  | {
      readonly kind: 'step';
      readonly host: string;
      readonly title: string;
      readonly state: 'started' | 'done' | 'failed';
      readonly ms: number;
    }
  | { readonly kind: 'progress'; readonly host: string; readonly title: string; readonly progress: Progress }
  /** Everything sent to a host, for --verbose. Secrets are masked by the sink. */
  | {
      readonly kind: 'script';
      readonly host: string;
      readonly script: string;
      readonly status: number;
      readonly ms: number;
    }
  | {
      readonly kind: 'verified';
      readonly changes: number;
      readonly roundTrips: Readonly<Record<string, number>>;
      readonly ms: number;
    };

export type Emit = (event: RunEvent) => void;
