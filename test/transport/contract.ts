/**
 * What every Session must do, whatever it runs on. `sessionContract` holds for the fake as well; `shellContract` needs
 * a real shell. In: a function that opens one more session on the same host.
 */
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import type { Reply, Session } from '../../src/transport/port.ts';
import { diagnosticOf } from './expect-diagnostic.ts';

export type OpenSession = () => Promise<Session>;

/** The scripts of `sessionContract` with their replies; the fake answers from this table. */
export const known: ReadonlyMap<string, Reply> = new Map([
  ['echo out; echo err >&2; exit 3', { status: 3, stdout: 'out\n', stderr: 'err\n' }],
  ['echo 1', { status: 0, stdout: '1\n', stderr: '' }],
  ['echo 2', { status: 0, stdout: '2\n', stderr: '' }],
  ['printf "a\\nb\\nlast" >&2', { status: 0, stdout: '', stderr: 'a\nb\nlast' }],
]);
/** The fake never answers this one. */
export const endless = 'sleep 1000';

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Opens sessions and closes them after each test. */
function sessions(open: OpenSession): OpenSession {
  const opened: Session[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((session) => session.close()));
  });
  return async () => {
    const session = await open();
    opened.push(session);
    return session;
  };
}

export function sessionContract(name: string, openOne: OpenSession): void {
  describe(`${name}: the promises of a session`, () => {
    const open = sessions(openOne);
    const cluster = `test${randomBytes(4).toString('hex')}`;
    const lock = (session: Session, owner: string, waitMs = 0) => session.lock({ cluster, owner, waitMs });

    test('status, stdout and stderr come apart', async () => {
      const session = await open();
      expect(await session.run('echo out; echo err >&2; exit 3')).toEqual({
        status: 3,
        stdout: 'out\n',
        stderr: 'err\n',
      });
    });

    test('a session that is left ends by itself, and takes no more scripts', async () => {
      const session = await open();
      await session.run('echo 1');
      session.leave();
      await expect(session.run('echo 2')).rejects.toThrow();
      await session.close();
    });

    test('requests that are not awaited are answered in order', async () => {
      const session = await open();
      const answers = [lock(session, 'me'), session.run('echo 1'), session.run('echo 2')];
      expect(await Promise.all(answers)).toEqual([
        { held: true },
        { status: 0, stdout: '1\n', stderr: '' },
        { status: 0, stdout: '2\n', stderr: '' },
      ]);
      expect(session.roundTrips).toBe(2);
    });

    test('lines of stderr are handed on, the last one also without a newline', async () => {
      const session = await open();
      const lines: string[] = [];
      const reply = await session.run('printf "a\\nb\\nlast" >&2', { onLine: (line) => lines.push(line) });
      expect(lines).toEqual(['a', 'b', 'last']);
      expect(reply.stderr).toBe('a\nb\nlast');
    });

    test('a lock has one holder; the other one learns who', async () => {
      const [first, second] = [await open(), await open()];
      const owner = "anna@laptop, provision, it's since 12:00";
      expect(await lock(first, owner)).toEqual({ held: true });
      const refused = lock(second, 'ben');
      expect(await second.run('echo 1')).toMatchObject({ stdout: '1\n' });
      expect(await refused).toEqual({ held: false, owner });
    });

    test('a lock is free when its session is closed', async () => {
      const [first, second] = [await open(), await open()];
      await lock(first, 'first');
      await first.close();
      expect(await lock(second, 'second')).toEqual({ held: true });
    });

    test('a lock can be waited for', async () => {
      const [first, second] = [await open(), await open()];
      await lock(first, 'first');
      const waiting = lock(second, 'second', 5000);
      await pause(300);
      await first.close();
      expect(await waiting).toEqual({ held: true });
    });

    test('closing rejects what still runs and what comes later', async () => {
      const session = await open();
      const running = session.run(endless);
      await session.close();
      expect((await diagnosticOf(running)).code).toBe('CON007');
      expect((await diagnosticOf(session.run('echo 1'))).code).toBe('CON007');
      await session.close();
    });
  });
}

export function shellContract(name: string, openOne: OpenSession): void {
  describe(`${name}: the shell of a session`, () => {
    const open = sessions(openOne);
    const out = async (session: Session, script: string) => (await session.run(script)).stdout;
    const word = () => `canary${randomBytes(6).toString('hex')}`;
    /** The number of processes whose command line says `sleep SECONDS`. */
    const sleepers = (session: Session, seconds: string) =>
      out(
        session,
        `n=0; for p in /proc/[0-9]*/cmdline; do case $(tr '\\0' ' ' <"$p" 2>/dev/null) in "sleep ${seconds} ") n=$((n+1));; esac; done; echo $n`,
      );
    const uniqueSeconds = () => `1${Math.floor(Math.random() * 1e6)}.5`;

    test('a script starts in a known place and shares nothing', async () => {
      const session = await open();
      expect(
        await out(
          session,
          'pwd; umask; echo $LC_ALL; cat; echo "${shared-unset}"; shared=1; cd /tmp; umask 0',
        ),
      ).toBe('/\n0077\nC\nunset\n');
      expect(
        await out(
          session,
          'pwd; umask; echo "${shared-unset}"; command -v ip >/dev/null || ls /usr/sbin >/dev/null; echo $#',
        ),
      ).toBe('/\n0077\nunset\n0\n');
      expect(await out(session, 'case :$PATH: in *:/usr/sbin:*:/sbin:*) echo both;; esac')).toBe('both\n');
    });

    test('set -e and traps work as in a script of its own', async () => {
      const session = await open();
      expect(await session.run('set -eu; trap "echo cleaned" EXIT; false; echo not reached')).toEqual({
        status: 1,
        stdout: 'cleaned\n',
        stderr: '',
      });
    });

    test('of a script with a syntax error nothing runs, and the session goes on', async () => {
      const session = await open();
      for (const script of [
        'echo ran; if then',
        'echo ran; echo "open',
        'echo ran; )',
        'echo ran\ncase x in',
        'echo ran }; fi',
      ]) {
        const reply = await session.run(script);
        expect(reply.stdout).toBe('');
        expect(reply.status).not.toBe(0);
        expect(reply.stderr).not.toBe('');
      }
      expect(await out(session, '')).toBe('');
      expect(await out(session, '# only a comment')).toBe('');
      expect(await out(session, 'echo alive')).toBe('alive\n');
    });

    test('here documents, quotes and all characters arrive as they are', async () => {
      const session = await open();
      const text = 'a $b `c` \\ "d" \'e\' ü 語 🙂 \t\x01';
      expect(await out(session, `cat <<'EOF'\n${text}\nEOF`)).toBe(`${text}\n`);
    });

    test('output is exact: no newline at the end, bytes of all kinds, stderr apart from stdout', async () => {
      const session = await open();
      expect(await session.run("printf 'no newline'; printf '\\036x\\000\\001' >&2")).toEqual({
        status: 0,
        stdout: 'no newline',
        stderr: '\x1ex\0\x01',
      });
      expect((await session.run('head -c 100000 /dev/urandom')).status).toBe(0);
      expect(await out(session, 'echo after')).toBe('after\n');
    });

    test('five megabytes come back, on either output', async () => {
      const session = await open();
      const five = 'head -c 5000000 /dev/zero | tr "\\0" "x"';
      expect((await out(session, five)).length).toBe(5_000_000);
      expect((await session.run(`{ ${five}; } >&2`)).stderr.length).toBe(5_000_000);
    });

    test('a script of a megabyte is run to its end', async () => {
      const session = await open();
      const line = `printf %s 'abc${'y'.repeat(60)}' >/dev/null\n`;
      const counted = `${line}n=$((n + 1))\n`;
      expect(await out(session, `n=0\n${counted.repeat(12_000)}echo $n`)).toBe('12000\n');
      expect(await out(session, `printf %s '${'z'.repeat(1_000_000)}' | wc -c`)).toContain('1000000');
    });

    test('a script stands in no command line and no environment', async () => {
      const session = await open();
      const canary = word();
      const search = `: ${canary}; for p in /proc/[0-9]*; do tr '\\0' '\\n' <"$p/cmdline"; tr '\\0' '\\n' <"$p/environ"; done 2>/dev/null | grep -c '[c]${canary.slice(1)}'`;
      expect(await out(session, search)).toBe('0\n');
    });

    test('closing ends what runs with its group; what has a session of its own lives on', async () => {
      const [session, other] = [await open(), await open()];
      const [running, background, daemon] = [uniqueSeconds(), uniqueSeconds(), uniqueSeconds()];
      session
        .run(
          `setsid sleep ${daemon} >/dev/null 2>&1 & sleep ${background} >/dev/null 2>&1 & sleep ${running}`,
        )
        .catch(() => undefined);
      await pause(500);
      expect(await sleepers(other, running)).toBe('1\n');
      await session.close();
      expect(await sleepers(other, running)).toBe('0\n');
      expect(await sleepers(other, background)).toBe('0\n');
      expect(await sleepers(other, daemon)).toBe('1\n');
      await other.run(
        `for p in /proc/[0-9]*; do case $(tr '\\0' ' ' <"$p/cmdline" 2>/dev/null) in "sleep ${daemon} ") kill "\${p#/proc/}";; esac; done`,
      );
    });

    test('a script that is ended may clean up, and one that waits behind it does not begin', async () => {
      const [session, other] = [await open(), await open()];
      const path = `/tmp/${word()}`;
      session.run(`trap 'rm -f ${path}; exit 1' TERM; : >${path}; sleep 1000 & wait`).catch(() => undefined);
      session.run(`: >${path}.late`).catch(() => undefined);
      await pause(300);
      expect(await out(other, `ls ${path}*`)).toBe(`${path}\n`);
      await session.close();
      expect(await out(other, `ls ${path}* 2>/dev/null`)).toBe('');
    });

    test('a daemon that a script leaves behind does not keep the lock', async () => {
      const [first, second] = [await open(), await open()];
      const request = { cluster: word(), owner: 'first', waitMs: 0 };
      await first.lock(request);
      await first.run('setsid sleep 3 >/dev/null 2>&1 &');
      await first.close();
      expect(await second.lock(request)).toEqual({ held: true });
    });

    test('the lock file goes with the session, and who waited for it holds a lock that counts', async () => {
      const [first, second, third] = [await open(), await open(), await open()];
      const cluster = word();
      const files = (session: Session) =>
        out(session, `ls /run/lock/pgduet-${cluster}.lock /tmp/pgduet-${cluster}.lock 2>/dev/null`);
      await first.lock({ cluster, owner: 'first', waitMs: 0 });
      expect(await files(third)).toContain(cluster);
      const waiting = second.lock({ cluster, owner: 'second', waitMs: 5000 });
      await pause(300);
      await first.close();
      expect(await waiting).toEqual({ held: true });
      expect(await third.lock({ cluster, owner: 'third', waitMs: 0 })).toEqual({
        held: false,
        owner: 'second',
      });
      await second.close();
      expect(await files(third)).toBe('');
    });

    test('a shell that is killed is noticed at once', async () => {
      const session = await open();
      const diagnostic = await diagnosticOf(
        session.run('read -r _ _ _ loop _ </proc/self/stat; kill -9 $loop; sleep 1000'),
      );
      expect(diagnostic.code).toBe('CON007');
    });

    test('a lock file that is a link is refused', async () => {
      const session = await open();
      const cluster = word();
      await session.run(
        `d=/run/lock; [ -d $d ] && [ -w $d ] || d=/tmp; ln -s /tmp/elsewhere $d/pgduet-${cluster}.lock`,
      );
      const diagnostic = await diagnosticOf(session.lock({ cluster, owner: 'me', waitMs: 0 }));
      expect(diagnostic).toMatchObject({ code: 'HST012' });
      await session.run(
        `rm -f /run/lock/pgduet-${cluster}.lock /tmp/pgduet-${cluster}.lock; ls /tmp/elsewhere`,
      );
      expect(await session.lock({ cluster, owner: 'me', waitMs: 0 })).toEqual({ held: true });
    });
  });
}
