/**
 * The adapter for `connection: local`: the same session protocol over a child `sh` on this machine.
 * In: a host. Out: a Session. The child gets a small environment of its own: a daemon that a script starts must not
 * carry the environment of the person who ran pgduet, secrets and all.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { userInfo } from 'node:os';
import type { Host } from '../inventory/cluster.ts';
import type { Session, Transport } from './port.ts';
import { entryCommand, type Pulse } from './remote-shell.ts';
import { openSession, type ShellStreams } from './session.ts';
import { passSudo, sudoCommand, sudoWords } from './sudo.ts';

/** How long the group may take to end by itself: TERM, half a second, KILL. */
const patienceMs = 3000;
const lastWordsMs = 100;

function streamsOf(child: ChildProcessWithoutNullStreams): ShellStreams {
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`the shell ended (${signal ?? `exit status ${code}`})`));
  });
  // Its last words may still be in the pipes, which a daemon may hold open for ever.
  const drained = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const gone = ended.then(async (reason) => {
    const patience = new Promise<void>((resolve) => setTimeout(resolve, lastWordsMs).unref());
    await Promise.race([drained, patience]);
    return reason;
  });
  // A daemon that holds the output would keep the pipes open; the end of the shell is the end of the session.
  const close = async () => {
    child.stdin.end();
    const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    await gone;
    clearTimeout(timer);
    child.stdout.destroy();
    child.stderr.destroy();
  };
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    gone,
    close,
    leave: () => void close(),
  };
}

async function open(host: Host, pulse?: Pulse): Promise<Session> {
  const { username, homedir, uid } = userInfo();
  const words = host.ssh.become === 'sudo' && uid !== 0 ? sudoWords() : undefined;
  const command = words ? sudoCommand(words) : entryCommand;
  const child = spawn('/bin/sh', ['-c', `exec ${command}`], {
    // A session of its own: Ctrl-C in the terminal goes to pgduet, which then decides what ends here.
    detached: true,
    cwd: '/',
    env: { HOME: homedir, USER: username, LOGNAME: username, PATH: process.env.PATH ?? '/usr/bin:/bin' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const streams = streamsOf(child);
  if (words) {
    const password = host.ssh.becomePassword ? { password: host.ssh.becomePassword } : {};
    try {
      await passSudo(streams, { host: host.name, user: username, words, timeoutMs: 30_000, ...password });
    } catch (error) {
      await streams.close();
      throw error;
    }
  }
  return openSession(host.name, streams, pulse);
}

/** `pulse` is for tests, which cannot wait for the patience of a real host. */
export function localTransport(pulse?: Pulse): Transport {
  return { open: (host) => open(host, pulse) };
}
