/**
 * A cluster whose hosts are directories: the fake transport hands each script to a real shell, so that probes, steps and
 * frames are the true ones. In: an inventory's hosts and what a playbook would give. Out: events, an outcome, an error.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { RunEvent } from '../../src/apply/event.ts';
import type { RunPorts, RunRequest } from '../../src/apply/request.ts';
import { type Outcome, run } from '../../src/apply/run.ts';
import { DiagnosticError, type Result } from '../../src/base/diagnostic.ts';
import type { Secret } from '../../src/base/secret.ts';
import type { Intent } from '../../src/intent/intent.ts';
import type { Cluster } from '../../src/inventory/cluster.ts';
import type { View } from '../../src/observe/survey.ts';
import type { Resource } from '../../src/plan/plan.ts';
import { compile } from '../../src/playbook/compile.ts';
import { parsePlaybook } from '../../src/playbook/playbook.ts';
import type { EffectPlace } from '../../src/resources/contract/effects.ts';
import { kinds } from '../../src/resources/registry.ts';
import { type FakeTransport, fakeTransport, type Respond } from '../../src/transport/fake.ts';
import type { Reply } from '../../src/transport/port.ts';
import { clusterOf } from '../observe/cluster.ts';

export const me = userInfo().username;

function shell(script: string, tell: (line: string) => void): Promise<Reply> {
  return new Promise((resolve) => {
    const child = spawn('sh', [], { stdio: ['pipe', 'pipe', 'pipe'] });
    const reply = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      reply.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      reply.stderr += text;
    });
    createInterface({ input: child.stderr }).on('line', tell);
    child.on('close', (status) => resolve({ status: status ?? 255, ...reply }));
    child.stdin.end(script);
  });
}

export interface TestWorld {
  readonly dir: string;
  readonly cluster: Cluster;
  readonly transport: FakeTransport;
  readonly events: RunEvent[];
  readonly secrets: Secret[];
  readonly abort: AbortController;
  readonly ports: RunPorts;
  compiler(text: string): (view: View, intent?: Intent) => Result<readonly Resource[]>;
  /** The directory that stands for a host. */
  at(host: string, name: string): string;
  /** Runs a playbook; `{{here}}` in it is the directory of the host. */
  play(text: string, over?: Partial<RunRequest>): Promise<Outcome>;
  remove(): void;
}

/** `between` may change what a host answers, or do something while a script runs. The hosts of `bare` carry no server. */
export async function testWorld(
  between: (real: () => Promise<Reply>, script: string, host: string) => Promise<Partial<Reply>> = (real) =>
    real(),
  bare: readonly string[] = [],
): Promise<TestWorld> {
  const dir = mkdtempSync(join(tmpdir(), 'pgduet-apply-'));
  const names = ['server1', 'server2', ...bare];
  for (const name of names) mkdirSync(join(dir, name));
  const place = (name: string): string =>
    `postgres: { data_dir: '${dir}/${name}/data' }, multiplexing: { management_dir: '${dir}/${name}/mc' }`;
  const pair = await clusterOf(`
cluster: inst1
ssh: { user: root }
postgres: { version: 15, data_dir: /unused }
multiplexing: { management_dir: /unused2, on_heartbeat_loss: fallback }
hosts:
  server1: { address: 192.0.2.100, role: primary, ${place('server1')} }
  server2: { address: 192.0.2.110, role: standby, ${place('server2')} }
`);
  const cluster = withBareHosts(pair, bare);
  const respond: Respond = (script, host, tell) => between(() => shell(script, tell), script, host);
  const transport = fakeTransport(respond);
  const events: RunEvent[] = [];
  const secrets: Secret[] = [];
  const abort = new AbortController();
  let nonce = 0;
  let clock = 0;
  const effectPlace = (host: { name: string }): EffectPlace => ({
    instance: { dataDir: `${dir}/${host.name}/data`, socketDir: dir, port: 1, owner: me },
    id: host.name,
    managementDir: `${dir}/${host.name}/mc`,
    mcCtl: '/nonexistent',
  });
  const ports: RunPorts = {
    transport,
    emit: (event) => events.push(event),
    now: () => {
      clock += 1;
      return clock;
    },
    clockMs: () => Date.now(),
    nonce: () => {
      nonce += 1;
      return `nonce${nonce}x`;
    },
    interrupted: abort.signal,
    remember: (secret) => secrets.push(secret),
  };
  const compiler: TestWorld['compiler'] = (text) => {
    const here = text.replaceAll('{{here}}', `${dir}/{{host.name}}`);
    const none = () => ({ reason: 'no such file' });
    const playbook = parsePlaybook({ path: 'my.yml', text: here }, [...kinds.keys()], none);
    if (!playbook.ok) throw new DiagnosticError(playbook.diagnostics, 3);
    return (view, intent = { kind: 'run' }) =>
      compile(
        playbook.value,
        { cluster, view, intent },
        {
          kinds,
          template: () => undefined,
          asset: () => undefined,
          secret: () => undefined,
          entropy: '00'.repeat(16),
        },
      );
  };
  return {
    dir,
    cluster,
    transport,
    events,
    secrets,
    abort,
    ports,
    compiler,
    at: (host, name) => join(dir, host, name),
    // What an interrupt has ended may still write there for a moment.
    remove: () => rmSync(dir, { recursive: true, force: true, maxRetries: 10 }),
    play: async (text, over = {}) => {
      const request: RunRequest = {
        cluster,
        intent: { kind: 'run' },
        compile: compiler(text),
        effectPlace,
        change: true,
        confirm: async () => true,
        lockOwner: 'anna, provision',
        ...over,
      };
      return run(request, ports);
    },
  };
}

/** The inventory has no words yet for a host without a server. */
function withBareHosts(cluster: Cluster, names: readonly string[]): Cluster {
  const [first] = cluster.hosts;
  if (!first) throw new Error('no hosts');
  const hosts = names.map((name) => ({ ...first, name, address: name, machine: `${name}:22` }));
  return { ...cluster, hosts: [...cluster.hosts, ...hosts] };
}

/** The error that a run ends with. */
export async function failureOf(attempt: Promise<unknown>): Promise<DiagnosticError> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof DiagnosticError) return error;
    throw error;
  }
  throw new Error('the run did not fail');
}
