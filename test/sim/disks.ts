/**
 * What `pgduet recover` would see of the hosts of a simulated world when all of them are down: their data and the records of their controllers, in the words of the
 * survey. A thin translation, which decides nothing. In: hosts of a world. Out: hosts as the decision takes them.
 */
import { createHash } from 'node:crypto';
import { parseRemembered } from '../../src/observe/maintenance.ts';
import { parseRecord } from '../../src/observe/record.ts';
import type { HostView } from '../../src/observe/survey.ts';
import type { Host } from './host.ts';
import { lsn } from './instance.ts';

/** The file as the controller writes it (`io/state-file.ts`). */
function recordText({ file, torn }: Host): string {
  if (file === null || torn) return '';
  const state = JSON.stringify(file);
  const checksum = createHash('sha256').update(state).digest('hex');
  return `{"format":1,"checksum":"${checksum}","state":${state}}`;
}

/** A primary has written its last checkpoint before its last record when it was shut down. */
function stateOf({ instance: { role, checkpoint, wal } }: Host): string {
  if (role === 'standby') return 'in archive recovery';
  return checkpoint === wal.length - 1 ? 'shut down' : 'in production';
}

/** A disk that has failed shows nothing. */
export function onDisk(host: Host): HostView {
  const { instance, torn } = host;
  const { role, timeline, wal, checkpoint, history, disk } = instance;
  const text = recordText(host);
  const record = parseRecord(text);
  const left = history.map(({ timeline: former, position }) => ({ timeline: former, at: lsn(position) }));
  const control = {
    systemIdentifier: '1',
    state: stateOf(host),
    timeline,
    checkpoint: lsn(checkpoint),
    checksums: true,
    reached: { position: lsn(role === 'standby' ? wal.length : checkpoint), timeline },
  };
  return {
    data: {
      content: 'cluster',
      files: [],
      standbySignal: role === 'standby',
      running: instance.running,
      recorded: '1',
      ...(disk === 'ok' ? { control } : {}),
    },
    origin: { lineage: { timeline, left }, ...(torn ? { torn: true } : {}) },
    remembered: parseRemembered(text),
    ...(record ? { record } : {}),
  };
}
