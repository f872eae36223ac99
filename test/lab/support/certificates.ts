/** A certificate authority for lab hosts, as an administrator has one. In: names. Out: PEM. The files are made by openssl on this machine. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Server } from './instance.ts';

export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export class Authority {
  readonly #dir: string;
  readonly certificate: string;

  constructor(name: string) {
    this.#dir = mkdtempSync(join(tmpdir(), 'lab-ca-'));
    this.#openssl(
      ...[
        'req',
        '-x509',
        ...newKey,
        '-keyout',
        'ca.key',
        '-out',
        'ca.pem',
        '-days',
        '3650',
        '-subj',
        `/CN=${name}`,
      ],
      ...['-addext', 'keyUsage=critical,keyCertSign'],
    );
    this.certificate = this.#text('ca.pem');
  }

  /** `names` as openssl writes them: "IP:10.0.0.1", "DNS:server1". */
  sign(names: readonly string[], days = 365): Pair {
    writeFileSync(
      join(this.#dir, 'names'),
      `subjectAltName=${names.join(',')}\nextendedKeyUsage=serverAuth\n`,
    );
    this.#openssl('req', '-new', ...newKey, '-keyout', 'key', '-out', 'csr', '-subj', '/CN=lab');
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names'];
    this.#openssl('x509', '-req', '-in', 'csr', '-out', 'pem', '-days', String(days), ...by);
    return { certificate: this.#text('pem'), key: this.#text('key') };
  }

  close(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #text(name: string): string {
    return readFileSync(join(this.#dir, name), 'utf8');
  }

  #openssl(...words: string[]): void {
    execFileSync('openssl', words, { cwd: this.#dir, stdio: 'pipe' });
  }
}

export const tlsDir = '/etc/lab-tls';
export const tlsFiles = {
  ca: `${tlsDir}/ca.pem`,
  certificate: `${tlsDir}/server.pem`,
  key: `${tlsDir}/server.key`,
};

/** As somebody else lays them: the list open to all, the key for the administrator. */
export async function lay({ host }: Server, { certificate, key }: Pair, ca: string): Promise<void> {
  await host.sh(
    `install -d ${tlsDir}; cd ${tlsDir}; install -m 600 -o postgres /dev/null server.key
awk -v RS='#end\\n' 'NR == 1 { printf "%s", $0 > "ca.pem" } NR == 2 { printf "%s", $0 > "server.pem" } NR == 3 { printf "%s", $0 > "server.key" }'`,
    { input: `${ca}#end\n${certificate}#end\n${key}#end\n`, check: true },
  );
}

/** What a client on one host says that verifies a server by this list: `t`, or the words of libpq. */
export async function asClient(from: Server, to: Server, ca: string): Promise<string> {
  const source = `host=${to.address} port=${to.port} dbname=app user=app sslmode=verify-full sslrootcert=/tmp/client-ca.pem`;
  const { stdout } = await from.host.sh(
    `cat > /tmp/client-ca.pem; PGPASSWORD=app-Secret-1 psql -X -A -t -d '${source}' -c 'select ssl from pg_stat_ssl where pid = pg_backend_pid()' 2>&1 || :`,
    { input: ca },
  );
  return stdout.trim();
}
