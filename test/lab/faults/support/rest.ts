/**
 * What the controllers cost when nothing happens: memory and processor time of the daemon and its disk helper, and how
 * long `mc_ctl status` takes. In: nothing but a fresh pair. Out: lines for people.
 */
import { loadavg } from 'node:os';
import { type FaultPair, sleep } from './pair.ts';
import { median } from './report.ts';
import { openPair } from './variants.ts';

const watchedMs = 20_000;

interface Process {
  readonly name: string;
  readonly residentMb: number;
  readonly ticks: number;
}

async function processes(pair: FaultPair): Promise<Process[]> {
  const [server] = pair.servers;
  const script = `main=$(systemctl show -p MainPID --value ${server.unit})
for pid in $main $(pgrep -P $main -f disk-helper); do
  echo "$pid $(sed -nE 's/^VmRSS:\\s+([0-9]+) kB/\\1/p' /proc/$pid/status) $(cut -d ' ' -f 14,15 /proc/$pid/stat)"
done`;
  const { stdout } = await server.host.sh(script, { check: true });
  return stdout
    .trim()
    .split('\n')
    .map((line, index) => {
      const [, kb, user, system] = line.split(' ').map(Number);
      const name = index === 0 ? 'controller' : 'disk helper';
      return { name, residentMb: (kb ?? 0) / 1024, ticks: (user ?? 0) + (system ?? 0) };
    });
}

async function statusMs(pair: FaultPair): Promise<number> {
  const times: number[] = [];
  for (let turn = 0; turn < 10; turn += 1) {
    const begin = performance.now();
    await pair.mcCtl(pair.servers[0], 'status');
    times.push(performance.now() - begin);
  }
  return median(times);
}

/** On the primary, 30 s after the pair is whole. */
export async function atRest(): Promise<string[]> {
  const pair = await openPair('plain');
  try {
    await pair.untilSwitchable();
    await sleep(30_000);
    const before = await processes(pair);
    await sleep(watchedMs);
    const after = await processes(pair);
    const lines = after.map(({ name, residentMb, ticks }, index) => {
      // A tick of /proc is 10 ms.
      const share = ((ticks - (before[index]?.ticks ?? 0)) * 10 * 100) / watchedMs;
      return `- ${name} of the primary: ${residentMb.toFixed(0)} MB resident, ${share.toFixed(1)} % of a core`;
    });
    const load = (loadavg()[0] ?? 0).toFixed(1);
    const took = `- \`mc_ctl status\`: ${(await statusMs(pair)).toFixed(0)} ms, median of 10, started with runuser in the host`;
    return [...lines, took, `- load of the machine meanwhile: ${load}`];
  } finally {
    await pair.close();
  }
}
