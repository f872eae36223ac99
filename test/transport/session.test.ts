/** The session protocol where no group is ready for it, as under sudo: who sees the processes of the host learns nothing of it. */
import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { announcingCommand, defaultPulse, entryCommand } from '../../src/transport/remote-shell.ts';
import { openSession } from '../../src/transport/session.ts';
import { passSudo, sudoWords } from '../../src/transport/sudo.ts';
import { diagnosticOf } from './expect-diagnostic.ts';

/** A shell that is no leader of a group, and all that is written to it. */
function shellOfOthers(command = entryCommand) {
  const child = spawn('/bin/sh', ['-c', `${command}; :`], {
    env: { PATH: process.env.PATH, N: 'exported', b: 'exported' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const written: string[] = [];
  const write = child.stdin.write.bind(child.stdin);
  child.stdin.write = (chunk: string | Buffer) => {
    written.push(String(chunk));
    return write(chunk);
  };
  const gone = new Promise<string>((resolve) => child.once('exit', () => resolve('it ended')));
  const leave = (): void => {
    child.kill('SIGKILL');
  };
  const close = async (): Promise<void> => {
    child.stdin.end();
    await gone;
  };
  return {
    written,
    streams: { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, gone, close, leave },
  };
}

test.each(['as it is', 'behind sudo'])(
  'the nonce of the frames stands in no argument and no environment: %s',
  async (way) => {
    const words = sudoWords();
    const { streams, written } = shellOfOthers(
      way === 'as it is' ? entryCommand : announcingCommand(words.ready),
    );
    if (way === 'behind sudo')
      await passSudo(streams, { host: 'server1', user: 'ops', words, timeoutMs: 60_000 });
    const session = openSession('server1', streams);
    // Of the group of the session alone: what else runs here is nobody's business.
    const look = `for p in /proc/[0-9]*; do
s=$(cat "$p/stat" 2>/dev/null) || continue
set -- \${s##*) }
if [ "$3" = $$ ]; then tr '\\0' ' ' <"$p/cmdline"; tr '\\0' ' ' <"$p/environ"; echo; fi
done 2>/dev/null
echo "<$N>"`;
    const { stdout } = await session.run(look);
    await session.close();
    const nonce = /N=([0-9a-f]{32});/.exec(written.join(''))?.[1] ?? '';
    expect(nonce).toHaveLength(32);
    expect(stdout).toContain('sh -c');
    expect(stdout.includes(nonce)).toBe(false);
    expect(stdout).toContain('<>');
  },
);

test('an answer without end is cut off with a message, and the session is over', async () => {
  const { streams } = shellOfOthers();
  const session = openSession('server1', streams, defaultPulse, 100_000);
  expect((await session.run('yes | head -c 90000')).stdout).toHaveLength(90_000);
  expect((await session.run('yes | head -c 90000 >&2')).stderr).toHaveLength(90_000);
  const endless = session.run('yes');
  const behind = session.run('echo 1');
  const { code, what } = await diagnosticOf(endless);
  expect(`${code} ${what}`).toBe("CON010 'server1' said more than 97.7 kB in one answer");
  expect((await diagnosticOf(behind)).code).toBe('CON010');
  expect((await diagnosticOf(session.run('echo 2'))).code).toBe('CON007');
  await session.close();
});

test('neither is a talk in front of the shell without end', async () => {
  const { streams } = shellOfOthers('yes');
  const words = sudoWords();
  const login = { host: 'server1', user: 'ops', words, timeoutMs: 60_000 };
  expect((await diagnosticOf(passSudo(streams, login))).code).toBe('CON010');
  streams.leave();
});

test('a sudo that does not know an option is named at once, and what to do about it', async () => {
  const words = sudoWords();
  const login = { host: 'server1', user: 'ops', words, timeoutMs: 60_000 };
  for (const said of [
    "sudo: unrecognized option '-p'",
    "error: invalid option '-H'",
    'usage: sudo [-u user] [-g group] [-D directory] [-knS] [-i | -s] [command]',
  ]) {
    const { streams } = shellOfOthers(`echo "${said}" >&2; sleep 0.3; exit 1`);
    expect(await diagnosticOf(passSudo(streams, login))).toMatchObject({
      code: 'CON006',
      fix: expect.stringContaining('sudo-rs'),
    });
  }
});
