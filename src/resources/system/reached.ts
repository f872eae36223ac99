/**
 * reached: the proof that a firewall keeps nobody out who belongs to the cluster: this host makes new connections to the ports of the others. Connections
 * that stand show nothing. Once all hosts keep their tables, `written` says that these tables were proven; until then it is made anew.
 */
import { createHash } from 'node:crypto';
import { quote, sh } from '../../base/shell.ts';
import { oneOf, text, wordList } from '../contract/field.ts';
import { fieldsOf } from '../contract/fields.ts';
import { change, present, type ResourceKind, same, unknown } from '../contract/kind.ts';
import { putFile } from '../contract/preamble.ts';
import { provenFile, reachedFile } from './firewall-table.ts';

interface Desired {
  readonly name: string;
  readonly places: readonly string[];
  /** Of all tables of the cluster. */
  readonly mark: string;
  readonly state: 'tried' | 'written';
  /** A word of this run: what an earlier one has proven on trial is over. */
  readonly run: string;
}

const fields = fieldsOf(
  {
    name: text('name of the unit of this host'),
    places: wordList('who is to be reached, each as PORT@ADDRESS'),
    tables: text('what all tables of the cluster say'),
    state: oneOf(['tried', 'written'], 'the proof is made, or it is written down', 'tried'),
  },
  ({ name, places, tables, state }, { entropy }): Desired => ({
    name,
    places,
    state,
    run: entropy,
    mark: createHash('sha256').update(tables).digest('hex').slice(0, 24),
  }),
);

/** A refusal is an answer: nobody listens there, and the packet came through. What a firewall drops is answered by nobody. */
const program = `const net = require('node:net');
const places = process.argv.slice(1).map((place) => place.split('@'));
const once = ([port, host]) => new Promise((resolve) => {
  const socket = net.connect({ host, port: Number(port) });
  const end = (said) => { socket.destroy(); resolve(said); };
  socket.setTimeout(3000, () => end('no answer'));
  socket.on('connect', () => end(''));
  socket.on('error', ({ code }) => end(code === 'ECONNREFUSED' ? '' : code));
});
const thrice = async (place) => (await once(place)) && (await once(place)) && (await once(place));
Promise.all(places.map(async (place) => [place, await thrice(place)])).then((all) => {
  const failed = all.filter(([, said]) => said);
  for (const [[port, host], said] of failed) console.error('port ' + port + ' of ' + host + ' is not reached from here: ' + said);
  process.exitCode = failed.length > 0 ? 1 : 0;
});`;

interface Seen {
  readonly mark: string;
  /** What a run has proven that may not have come to its end. */
  readonly run: string;
}

export const reached: ResourceKind<Desired, Seen> = {
  kind: 'reached',
  summary: 'The proof that this host reaches the ports of the others through their firewalls.',
  fields,
  key: ({ name, state }) => `${name} ${state}`,
  describe: ({ places }) => `reaches ${placesText(places)}`,
  probe: ({ name }) => ({
    shell: [provenFile(name), reachedFile(name)]
      .map(
        (file) =>
          `said=; if [ -f ${quote(file)} ]; then said=$(cat ${quote(file)}); fi; printf '%s\\n' "$said"`,
      )
      .join('\n'),
  }),
  read: (reply) =>
    reply.status === 0
      ? present(marksIn(reply.stdout))
      : unknown(reply.stderr.trim() || 'what was proven could not be read'),
  diff: (desired, observed) => {
    const { mark, state, places } = desired;
    const seen = observed.state === 'present' ? observed.value : undefined;
    if (seen?.mark === mark) return same('it was proven');
    if (state === 'tried' && seen?.run === runMark(desired)) return same('this run has reached all of them');
    const reason = 'these tables have not been proven yet';
    return state === 'tried'
      ? change({
          summary: `reach ${placesText(places)} by new connections`,
          reason,
          differences: [
            { code: 'FWL008', object: placesText(places), declared: 'reached', found: 'not proven yet' },
          ],
        })
      : change({ summary: 'write down that all were reached', reason, differences: [] });
  },
  steps: (_planned, desired) => [
    desired.state === 'tried'
      ? { title: 'the others are reached through their firewalls', script: proof(desired) }
      : { title: 'what was proven', script: writing(desired) },
  ],
};

const runMark = ({ mark, run }: Desired): string => `${mark} ${run}`;

function marksIn(text: string): Seen {
  const [mark = '', run = ''] = text.split('\n');
  return { mark, run };
}

const placesText = (places: readonly string[]): string =>
  places.map((place) => place.replace(/^(\d+)@(.*)$/, '$2 port $1')).join(', ') || 'nobody';

const proof = (desired: Desired): string => `node=$(command -v node || command -v nodejs)
"$node" -e ${quote(program)} -- ${desired.places.map(quote).join(' ')}
${markFile(reachedFile(desired.name), runMark(desired))}`;

const writing = ({ name, mark }: Desired): string => `${markFile(provenFile(name), mark)}
${sh`acting ${reachedFile(name)} '' rm -f ${reachedFile(name)}`}`;

const markFile = (path: string, mark: string): string =>
  putFile({ path, owner: 'root', group: 'root', mode: '0644', content: `${mark}\n` });
