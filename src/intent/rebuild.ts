/** What follows for a rebuild from the intent and what is observed. Pure. */
import { isFinished } from '../resources/data/data-directory.ts';
import type { Situation } from './intent.ts';

/** The server is a former primary that pg_rewind may make a standby; --copy asks for a base backup in place of it. */
export function rewinds({ view, intent }: Situation): boolean {
  if (intent.kind !== 'rebuild' || intent.copy || intent.host === view.primary) return false;
  const data = view.hosts.get(intent.host)?.data;
  return isFinished(data) && data?.standbySignal === false;
}
