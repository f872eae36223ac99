/**
 * What a host said of a configuration that was tried there (`scratch.ts`), in words: the setting, its value, PostgreSQL's own line, and
 * what to do. What could not be tried is no reproach. Pure.
 */
import { formatBytes } from '../../base/units.ts';
import { openSetting } from '../../postgres/withheld.ts';
import { fromBase64, replyLines, textsOf } from './replies.ts';

type Settings = Readonly<Record<string, string>>;

/** A sentence for each reason why a server would not start; `owner` is who it belongs to. */
export function readTrial(stdout: string, given: Settings, owner: string): readonly string[] {
  const lines = replyLines(
    stdout
      .split('\n')
      .filter((line) => line.startsWith('trial '))
      .map((line) => line.slice('trial '.length))
      .join('\n'),
  );
  if (!lines.has('tried')) return [];
  const settings = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const started = [...textsOf(lines, 'start'), ...textsOf(lines, 'log')];
  return [
    ...lines.all('values').flatMap((text) => wrongValues(fromBase64(text.trim()), settings)),
    ...started.map((said) => cannotStart(said, settings, owner)),
    ...textsOf(lines, 'libraries').map((said) => sentence('shared_preload_libraries', settings, said, owner)),
    ...memory(lines, settings),
  ];
}

/** What PostgreSQL said that is about the configuration, one line. */
function ownLine(said: string): string {
  const lines = said
    .split('\n')
    .filter((line) => /^[A-Z]+: {2}/.test(line))
    .filter(
      (line) => !/^LOG: {2}(?:starting|listening|skipping missing|database system|redirecting)/.test(line),
    )
    .filter((line) => !/contains errors$|^HINT: {2}(?:Consider|Future log)/.test(line));
  return (
    lines.map((line) => line.replace(/ {2}/, ' ').trim()).join('; ') || said.trim().replaceAll('\n', ' ')
  );
}

function wrongValues(said: string, settings: Settings): readonly string[] {
  const named = Object.keys(settings).flatMap((name) => {
    const lines = said.split('\n').filter((line) => line.includes(`"${name}"`));
    return lines.length > 0 ? [sentence(name, settings, lines.join('\n'), '')] : [];
  });
  return named.length > 0 ? named : [`a server does not start with its settings: ${ownLine(said)}`];
}

/** A message names the file or the group, and not the setting: it is the one that has this value. */
function cannotStart(said: string, settings: Settings, owner: string): string {
  const line = ownLine(said);
  const [name] =
    Object.entries(settings)
      .filter(([, value]) => value.length > 1 && !/^[\d.]+\w*$|^(?:on|off|true|false)$/.test(value))
      .filter(([, value]) => line.includes(`"${value}`))
      .sort(([, a], [, b]) => b.length - a.length)[0] ?? [];
  if (name !== undefined) return sentence(name, settings, said, owner);
  return `a server does not start with its settings: ${line}`;
}

function sentence(name: string, settings: Settings, said: string, owner: string): string {
  const value = settings[name] ?? '';
  return `with ${name} = '${openSetting(name, value)}' no server starts there (${ownLine(said)}): ${adviceOn(name, value, owner)}`;
}

function adviceOn(name: string, value: string, owner: string): string {
  if (name.startsWith('lc_'))
    return `make this locale on the host (locale -a shows those that it has), or set ${name} to one that every host has`;
  if (name === 'log_directory')
    return `make it on the host (install -d -o ${owner} -m 0700 ${value}), or name a place that every host has`;
  if (name.startsWith('ssl_'))
    return `put such a file on the host, which ${owner} can read and nobody can write (a key: mode 0600), or name one that every host has`;
  if (/timezone/.test(name))
    return 'install the time zones of the operating system there (tzdata, tzdata-legacy)';
  if (/preload_libraries$/.test(name)) return 'install the library there as it is on the primary';
  return `give the host what it names, or set ${name} to what every host can do`;
}

function* memory(lines: ReturnType<typeof replyLines>, settings: Settings): Generator<string> {
  const has = (word: string): number => Number(lines.first(`has ${word}`) ?? Number.NaN);
  const wanted = Number(lines.first('memory') || Number.NaN) * 1024 ** 2;
  const there = (has('MemTotal') + has('SwapTotal')) * 1024;
  if (wanted > there)
    yield `with shared_buffers = '${settings.shared_buffers ?? ''}' a server takes ${formatBytes(wanted)} of shared memory, and the host has ${formatBytes(there)} with its swap: give it more, or lower shared_buffers`;
  const pages = Number(lines.first('pages') || Number.NaN);
  if (pages > has('HugePages_Total'))
    yield `with huge_pages = 'on' a server takes ${pages} huge pages, and the host has ${has('HugePages_Total')}: set vm.nr_hugepages there, or huge_pages to try`;
}
