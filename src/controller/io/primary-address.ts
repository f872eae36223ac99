/**
 * Where a standby gets its WAL from, and whether that address takes connections. In: data directory. Out: yes or no.
 * It reads primary_conninfo and opens a TCP connection; it never logs in and never sees the password.
 */
import { connect } from 'node:net';
import { join } from 'node:path';
import { effectiveConf } from '../../postgres/conf-file.ts';
import { timerMs } from './timer.ts';
import { readIfThere } from './whole-file.ts';

interface Address {
  readonly host: string;
  readonly port: number;
}

/** postgresql.auto.conf is read last by PostgreSQL, so it wins. */
export function primaryAddresses(dataDir: string): Address[] {
  const texts = ['postgresql.auto.conf', 'postgresql.conf'].map(
    (name) => readIfThere(join(dataDir, name)) ?? '',
  );
  const found = texts.map((text) => effectiveConf(text).get('primary_conninfo')?.value).find((it) => it);
  return found === undefined ? [] : addressesOf(found);
}

/** Hosts and ports of a keyword/value connection string (libpq manual, "Connection Strings"); lists pair up. */
export function addressesOf(conninfo: string): Address[] {
  const value = (keyword: string): string => {
    const match = new RegExp(`(?:^|\\s)${keyword}\\s*=\\s*(?:'((?:[^'\\\\]|\\\\.)*)'|(\\S*))`).exec(conninfo);
    return (match?.[1] ?? match?.[2] ?? '').replace(/\\(.)/g, '$1');
  };
  const ports = value('port').split(',');
  const hosts = (value('hostaddr') || value('host')).split(',').filter((host) => host !== '');
  return hosts.map((host, index) => ({ host, port: Number(ports[index] || ports[0]) || 5432 }));
}

/** True as soon as one of the addresses takes a connection. */
export async function primaryAnswers(dataDir: string, timeoutMs: number): Promise<boolean> {
  // A port that cannot be one is the mistake of its address alone.
  const answers = await Promise.all(
    primaryAddresses(dataDir).map((address) => answersAt(address, timeoutMs).catch(() => false)),
  );
  return answers.includes(true);
}

function answersAt({ host, port }: Address, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const target = host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port };
    const socket = connect(target);
    const done = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.setTimeout(timerMs(timeoutMs), () => done(false));
    socket.on('connect', () => done(true));
    socket.on('error', () => done(false));
  });
}
