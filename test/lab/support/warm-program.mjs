// A process that holds the built pgduet, with all that it has loaded and compiled, and runs it again and again: a start
// costs several times what a run itself does. In: the path of the program; by message arguments, an environment and a mark.
// Out: what the program prints, with the mark behind it on both streams, and its exit status by message. A run ends as it
// would in a process of its own, when nothing is left to wait for. One that leaves something behind, which the end of its
// process would have hidden, is told, and the process ends: no later run may meet it.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const program = process.argv[2];
const address = pathToFileURL(program).href;
let runs = 0;
let current;

process.on('message', ({ args, env, mark }) => {
  runs += 1;
  process.argv = [process.execPath, program, ...args];
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  process.exitCode = undefined;
  const run = { mark, settled: false, before: held() };
  current = run;
  // From here on the program alone keeps this process alive.
  process.channel.unref();
  // The entry begins anew; its parts, which it imports without a question mark, are there. An error ends the process, as ever.
  import(`${address}?run=${runs}`).then(() => {
    run.settled = true;
  });
});

process.on('beforeExit', () => {
  // Nobody has asked for anything: the one who asks is gone.
  if (current === undefined) return;
  const { mark, settled, before } = current;
  current = undefined;
  // What Node itself says where the program waits for what never comes.
  if (!settled) process.exit(13);
  const left = held().filter((thing) => !before.includes(thing));
  for (const stream of [process.stdout, process.stderr]) stream.write(mark);
  process.channel.ref();
  process.send({ status: process.exitCode ?? 0, left }, () => {
    if (left.length > 0) process.exit();
  });
});

/** What a process holds and a next run could meet. */
function held() {
  const open = readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      return [`${descriptor}: ${readlinkSync(`/proc/self/fd/${descriptor}`)}`];
    } catch {
      return []; // the directory itself
    }
  });
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean);
  const listeners = process.eventNames().map((name) => `${String(name)} × ${process.listenerCount(name)}`);
  return [
    ...open,
    ...children.map((pid) => `process ${pid}`),
    ...listeners.map((name) => `listener: ${name}`),
    `directory: ${process.cwd()}`,
  ];
}
