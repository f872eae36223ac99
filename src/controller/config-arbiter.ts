/**
 * arbitration.conf: what the provisioner writes and the arbiter reads, by one type. The table `arbiterKeys` is the only place that
 * knows the name, unit, range and default of a key. Pure.
 */
import { facilities, type SyslogFacility } from './config.ts';
import {
  address,
  defaultsOf,
  integer,
  type KeyTable,
  path,
  text,
  word,
  writtenValues,
} from './config-value.ts';

/** arbitration.conf with every default filled in. Times in milliseconds, as the names say. */
export interface ArbiterConf {
  /** All clusters call the same port; each has its own key. */
  readonly port: number;
  readonly myAddress: string;
  readonly heartbeatIntervalMs: number;
  readonly heartbeatTimeoutMs: number;
  readonly heartbeatRetry: number;
  readonly syslogFacility: SyslogFacility;
  readonly syslogIdent: string;
  readonly coreFilePath?: string;
}

/** Every key of arbitration.conf, in the order in which the template writes them. */
export const arbiterKeys: KeyTable<ArbiterConf> = {
  port: integer('port', { min: 1, max: 65_535, unit: '', fallback: 27_541 }),
  myAddress: address('my_address'),
  heartbeatIntervalMs: integer('heartbeat_interval', { min: 1, unit: 'ms', fallback: 800 }),
  heartbeatTimeoutMs: integer('heartbeat_timeout', { min: 1, unit: 's', fallback: 1000, finer: true }),
  heartbeatRetry: integer('heartbeat_retry', { min: 0, unit: '', fallback: 2 }),
  syslogFacility: word('syslog_facility', facilities, 'LOCAL0', 'bare'),
  syslogIdent: text('syslog_ident', 'MirroringControllerArbiter', 64),
  coreFilePath: path('core_file_path', 'optional'),
};

/** What a key has when the file does not name it. `myAddress` has no default. */
export const arbiterConfDefaults = defaultsOf(arbiterKeys) as Omit<ArbiterConf, 'myAddress'>;

/** Fills in the defaults; what the provisioner knows goes in, a whole configuration comes out. */
export const arbiterConf = (known: Pick<ArbiterConf, 'myAddress'> & Partial<ArbiterConf>): ArbiterConf => ({
  ...arbiterConfDefaults,
  ...known,
});

/** A primary that was heard within this time is preferred to a standby that asks. */
export const patienceMs = ({
  heartbeatIntervalMs,
  heartbeatTimeoutMs,
}: Pick<ArbiterConf, 'heartbeatIntervalMs' | 'heartbeatTimeoutMs'>): number =>
  heartbeatIntervalMs + heartbeatTimeoutMs;

/** A server that was not heard for so long is offline. */
export const offlineAfterMs = (conf: ArbiterConf): number => patienceMs(conf) * (conf.heartbeatRetry + 1);

/** Context of `templates/arbitration.conf.hbs`: every key's value already in the form of the file. */
export const arbiterConfContext = (conf: ArbiterConf) => ({ values: writtenValues(arbiterKeys, conf) });
