/** Keys of <host>.conf, for all servers and for one, below multiplexing and postgres: times in the unit of the file, commands, and what stands in a line of it. Pure. */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { programLine } from '../../base/program-line.ts';
import { parseDurationMs, parseSizeBytes } from '../../base/units.ts';
import { isSecretName } from '../../base/withheld.ts';
import { commandKeys, timeForms } from '../controller-keys.ts';
import { type Draft, isArbiter, type Path } from '../draft.ts';
import { tellForm } from './timing.ts';

type Told = Omit<Diagnostic, 'at'>;
type Check = (key: string, value: string) => Told | undefined;

export function checkControllerKeys(draft: Draft): Diagnostic[] {
  return places(draft).flatMap(({ path, values }) =>
    Object.entries(values ?? {}).flatMap(([key, value]) => {
      const check = checks.get(key);
      const told = typeof value === 'string' ? check?.(key, value) : undefined;
      return told === undefined ? [] : [{ ...told, at: draft.valueAt(...path, key) }];
    }),
  );
}

/** Those of an arbiter say nothing, which is told by itself. */
function places({
  data,
  hosts,
}: Draft): { readonly path: Path; readonly values: Readonly<Record<string, unknown>> | undefined }[] {
  return [
    { path: ['multiplexing'], values: data.multiplexing },
    { path: ['postgres'], values: data.postgres },
    ...hosts
      .filter((host) => !isArbiter(host))
      .flatMap(({ name }) => [
        { path: ['hosts', name, 'multiplexing'], values: data.hosts?.[name]?.multiplexing },
        { path: ['hosts', name, 'postgres'], values: data.hosts?.[name]?.postgres },
      ]),
  ];
}

const checkTime: Check = (key, value) => {
  const form = Object.hasOwn(timeForms, key) ? timeForms[key as keyof typeof timeForms] : undefined;
  const ms = parseDurationMs(value);
  if (form?.off && ms === 0) return undefined;
  const countsSeconds = form?.unit === 's' && !form.finer;
  if (!countsSeconds || ms === undefined || (ms >= 1000 && ms % 1000 === 0)) return tellForm(key, value);
  return {
    code: 'INV006',
    what: `${key} is ${value}, which is ${ms < 1000 ? 'less than a second' : 'no whole number of seconds'}`,
    why: 'the controller counts this time in seconds',
    fix: `Write for example ${key}: ${Math.max(1, Math.ceil(ms / 1000))}s.`,
  };
};

/** A word outside double quotes that a shell would not hand on as it is. */
const shellWord = /(?:^|\s)((?:['`]|\$[\w{(]|\d?[<>]|[|&;])\S*|\S+;(?=\s|$))/;
const quotedWords = /"(?:[^"\\]|\\.)*"(?=\s|$)/g;

const checkCommand: Check = (key, value) => {
  const line = programLine(value);
  if (!line.ok)
    return {
      code: 'INV005',
      what: `${key} cannot be run: ${line.why}`,
      why: 'the controller starts a program by its absolute path, without a shell and without PATH',
      fix: `Write for example ${key}: /usr/local/bin/program --option "two words"; put what is longer into a script.`,
    };
  if (line.args.some(isSecret))
    return {
      code: 'INV012',
      what: `an argument of ${key} looks like a secret`,
      why: 'every user of the host sees the arguments of a program that runs',
      fix: 'Write the secret into a file of mode 0600 of the instance administrator, and let the program read it there.',
    };
  const sign = shellWord.exec(value.replace(quotedWords, '""'))?.[1];
  return sign === undefined
    ? undefined
    : {
        code: 'INV005',
        what: `${key} has the word ${sign}, which only a shell would read`,
        why: 'the controller starts the program without a shell, so that the word would reach it as it stands there',
        fix: 'Hold words together with double quotes, in which every sign stands for itself; put what needs a shell into a script.',
      };
};

/** The name of a file is none: --key /etc/fence.key. */
function isSecret(word: string, index: number, words: readonly string[]): boolean {
  if (/:\/\/[^/\s:@]*:[^/\s@]+@/.test(word)) return true;
  const [, name, behind] = /^-{0,2}([\w.-]+)(?:[=:]\s*(.+))?$/.exec(word) ?? [];
  if (name === undefined || !isSecretName(name)) return false;
  const value = behind ?? (word.startsWith('-') ? words[index + 1] : undefined);
  return value !== undefined && !/^[-/]/.test(value);
}

const checkIdent: Check = (key, value) =>
  /^[\x21-\x7e]{1,64}$/.test(value)
    ? undefined
    : {
        code: 'INV009',
        what: `${key} '${value}' cannot name a program in the system log`,
        why: 'it is 1 to 64 bytes of ASCII without blanks, so that journalctl -t and rsyslog find it',
        fix: `Write for example ${key}: MirroringControllerOpen.`,
      };

const checkPath: Check = (key, value) =>
  /^\/[^\s'"\\#$`%]*$/.test(value) && /^[\x21-\x7e]*$/.test(value)
    ? undefined
    : {
        code: 'INV009',
        what: `${key} '${value}' is no path that the controller takes`,
        why: 'paths on the hosts are absolute, of plain ASCII without spaces and quotes',
        fix: `Write for example ${key}: /var/crash.`,
      };

const checkDowntime: Check = (key, value) => {
  return (parseDurationMs(value) ?? 0) > longestDowntimeMs
    ? {
        code: 'INV006',
        what: `${key} is ${value}, which is longer than ${longestDowntimeMs / 86_400_000} days`,
        why: 'a standby that was away so long is copied sooner than it replays everything since',
        fix: `Write for example ${key}: 12h.`,
      }
    : tellForm(key, value);
};
const longestDowntimeMs = 14 * 86_400_000;

const checkSize: Check = (key, value) => {
  const bytes = parseSizeBytes(value);
  if (bytes !== undefined && bytes >= 1024 ** 2 && bytes <= 1024 ** 4) return undefined;
  return {
    code: bytes === undefined ? 'INV005' : 'INV006',
    what: `${key} '${value}' ${bytes === undefined ? 'is no size' : 'is not from 1MB to 1TB'}`,
    why: 'a size is a number with a unit, as PostgreSQL writes it: kB, MB, GB, TB',
    fix: `Write for example ${key}: 4GB.`,
  };
};

const checks: ReadonlyMap<string, Check> = new Map<string, Check>([
  ...Object.keys(timeForms).map((key) => [key, checkTime] as const),
  ...commandKeys.map((key) => [key, checkCommand] as const),
  ['syslog_ident', checkIdent],
  ['core_file_path', checkPath],
  ['expected_downtime', checkDowntime],
  ['wal_per_hour', checkSize],
]);
