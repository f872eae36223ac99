/** Whether a host is fit before its server comes back: programs, packages, mounts. In: answers. Out: what is wrong. Pure. */
import { quote } from '../base/shell.ts';
import type { ProbeReply } from '../resources/contract/kind.ts';
import type { Pins } from './order.ts';

/** Points of the proof that `--despite` may name: what was changed on purpose, or was so before. */
export const meantPoints = ['mounts', 'sshd'] as const;

interface Asked {
  readonly dataDir: string;
  /** Prints what is installed. */
  readonly installed: string;
}

/** The preamble of a look is not needed: the programs are found where the data directory says which they are. */
/** Right behind a reboot the host may not have mounted everything. Seconds. */
const longestStart = 120;

export const proofScript = ({ dataDir, installed }: Asked): string => `n=0
while [ "$(systemctl is-system-running 2>/dev/null)" = starting ] && [ $n -lt ${longestStart} ]; do n=$((n + 1)); sleep 1; done
${installed}
if [ ! -e ${quote(`${dataDir}/PG_VERSION`)} ]; then echo 'wrong the data directory is not there'; fi
if command -v sshd >/dev/null 2>&1 || [ -x /usr/sbin/sshd ]; then said=$(PATH=$PATH:/usr/sbin sshd -t 2>&1) || echo "wrong sshd would not start: $(echo "$said" | head -n 1)"; fi
if ! { command -v node || command -v nodejs; } >/dev/null 2>&1; then echo 'wrong Node.js is gone: the controller cannot start'; fi`;

interface Expected {
  readonly pins: Pins;
  readonly mounts: { readonly before: string; readonly now: string };
  /** Points that do not count. */
  readonly despite?: readonly string[];
}

export function readProof(
  { stdout, status, stderr }: Pick<ProbeReply, 'stdout' | 'status' | 'stderr'>,
  { pins, mounts, despite = [] }: Expected,
): readonly string[] {
  const lines = stdout.split('\n').filter((line) => line !== '');
  const versions = new Map(
    lines.map((line) => [line.split(' ')[0] ?? '', line.split(' ')[1] ?? ''] as const),
  );
  const wrong = lines
    .filter((line) => line.startsWith('wrong '))
    .map((line) => line.slice('wrong '.length))
    .filter((line) => !(despite.includes('sshd') && line.startsWith('sshd ')));
  return [
    ...(status === 0 ? [] : [`the look failed: ${stderr.trim().split('\n').at(-1) ?? ''}`]),
    ...wrong,
    ...(lines.includes('half-made') ? ['an installation of packages was cut off (dpkg --audit)'] : []),
    ...Object.entries(pins).flatMap(([name, version]) =>
      versions.get(name.replace(/:.*/, '')) === version
        ? []
        : [`${name} is ${versions.get(name) ?? 'not installed'}, not ${version}`],
    ),
    ...(mounts.before === '' || mounts.before === mounts.now || despite.includes('mounts')
      ? []
      : [
          `what is mounted is another thing than before the work: ${mounts.now.replaceAll('\n', '; ')}, not ${mounts.before.replaceAll('\n', '; ')}`,
        ]),
  ];
}
