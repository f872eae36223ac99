/**
 * What a configuration needs of the host that a server starts on: locales, files, directories, libraries, memory. In: settings as
 * they would be in force at the next start. Out: those that a host can be asked about, without what belongs to another place or
 * is no question to a host. Pure.
 */
import { controlledSettings } from './controlled-settings.ts';
import { recoveryNames } from './recovery-settings.ts';
import { isOn } from './setting-value.ts';

export interface Needed {
  /** By lower-case name, with whole paths. */
  readonly settings: Readonly<Record<string, string>>;
  /** TLS is on, and its files are at a place that is known. */
  readonly tls: boolean;
  /** Where the server would log by itself; empty: it does not, or within its data directory. */
  readonly log: string;
  /** It would not start without huge pages of the usual size. */
  readonly hugePages: boolean;
}

/** Each server has these of its own, or the controller and the copy see to them. */
const elsewhere: readonly string[] = [
  ...controlledSettings,
  ...recoveryNames,
  'config_file',
  'data_directory',
  'external_pid_file',
  'hba_file',
  'ident_file',
  'listen_addresses',
  'port',
  'unix_socket_directories',
];

/** May the value be right on one host and wrong on another one? */
export const isOfHost = (name: string): boolean =>
  /^(?:lc_|ssl|log_directory$|logging_collector$|log_timezone$|timezone|huge_page|shared_|io_|unix_socket_group$|max_stack_depth$)|preload_libraries$/i.test(
    name,
  );

/** What runs them sees whether they are there; until then they are words, and may hold a password. */
const isWords = (name: string): boolean => /(?:_command|conninfo|archive_library)$/.test(name);

const tlsFiles = [
  'ssl_cert_file',
  'ssl_key_file',
  'ssl_ca_file',
  'ssl_crl_file',
  'ssl_crl_dir',
  'ssl_dh_params_file',
] as const;

/** The files that TLS cannot do without, as PostgreSQL names them when nobody else does. */
const tlsDefaults: Readonly<Record<string, string>> = {
  ssl_cert_file: 'server.crt',
  ssl_key_file: 'server.key',
};

/** Without `dataDir` a file with a relative name comes with a copy, and is not asked for. */
export function neededOf(given: Readonly<Record<string, string>>, dataDir: string | undefined): Needed {
  const asked = Object.entries(given)
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name, value]) => !elsewhere.includes(name) && !isWords(name) && !/[\r\n]/.test(value));
  const settings: Record<string, string> = Object.fromEntries(asked);
  const on = isOn(settings.ssl ?? '');
  const files = on ? tlsFiles.map((name) => [name, settings[name] || tlsDefaults[name] || ''] as const) : [];
  for (const [name, path] of files) if (path !== '') settings[name] = whole(path, dataDir);
  const log = isOn(settings.logging_collector ?? '') ? (settings.log_directory ?? 'log') : '';
  return {
    settings,
    tls: on && files.every(([name, path]) => path === '' || settings[name]?.startsWith('/')),
    log: log.startsWith('/') ? log.replace(/(?<=.)\/+$/, '') : '',
    hugePages:
      settings.huge_pages?.toLowerCase() === 'on' && /^0*[a-z]*$/i.test(settings.huge_page_size ?? '0'),
  };
}

const whole = (path: string, dataDir: string | undefined): string =>
  path.startsWith('/') || dataDir === undefined ? path : `${dataDir}/${path}`;
