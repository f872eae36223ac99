/**
 * identity_key: the key by which the controller of a server proves itself to the others, or an arbiter to the servers of a cluster (ADR 30). It is made
 * on its host and stays there; a key that is there is never made anew, since the others demand it.
 */
import { quote, sh } from '../../base/shell.ts';
import { optional, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { change, type ResourceKind, refuse, same } from '../contract/kind.ts';
import { notAFile, ownershipDifferences } from '../contract/stat.ts';
import { type IdentitySeen, identityPath, identityProbe, readIdentity } from './identity-look.ts';

const fields = fieldsOf(
  {
    directory: optional(
      text('of an arbiter: the directory of the cluster; left out: that of the server of the host'),
    ),
    owner: optional(text('of an arbiter: user that it runs as')),
    of: optional(text('of an arbiter: its name')),
  },
  ({ directory, owner, of }, { server }, problem) => {
    if (!server && !(directory && owner && of))
      problem(
        'directory',
        'the host carries no server',
        "Give 'directory', 'owner' and 'of', those of an arbiter.",
      );
    return {
      managementDir: directory ?? server?.managementDir ?? '',
      owner: owner ?? server?.owner ?? '',
      id: of ?? server?.id ?? '',
      isArbiter: directory !== undefined,
    };
  },
);
type Desired = DesiredOf<typeof fields>;

/** Whose key it is, in words. */
const whose = ({ isArbiter, id }: Desired): string => `the ${isArbiter ? 'arbiter' : 'controller of'} ${id}`;

export const identityKey: ResourceKind<Desired, IdentitySeen> = {
  kind: 'identity_key',
  summary:
    'The key by which the controller of this server, or an arbiter, proves itself to the others, made on its host and never taken from it.',
  fields,
  key: () => 'made',
  describe: (desired) => `key of ${whose(desired)}`,
  probe: identityProbe,
  read: readIdentity,
  diff: (desired, observed) => {
    const path = identityPath(desired);
    if (observed.state === 'absent')
      return change({
        summary: `make a key by which ${whose(desired)} proves who it is (${path}); it never leaves the host`,
        reason: 'it has none',
        notes: [
          'then, in this run: the public parts are laid on all servers, and the controllers go over to these keys by themselves, without a heartbeat that is not heard',
        ],
        differences: [
          { code: desired.isArbiter ? 'ARB006' : 'CTL020', object: path, declared: 'a key', found: 'none' },
        ],
      });
    const { stat, public: key } = observed.value;
    if (stat.type !== 'file') return notAFile(path, stat);
    if (key === undefined) return refuse(noKey(path));
    const wanted = { owner: desired.owner, mode: '0600' };
    const codes = { owner: 'FIL003', mode: 'FIL004', open: 'FIL005' } as const;
    const differences = ownershipDifferences(path, wanted, stat, codes);
    if (differences.length === 0) return same(`${whose(desired)} has a key of its own`);
    if (stat.owner !== desired.owner) return refuse(notHis(path, stat.owner, desired.owner));
    return change({
      summary: `${path}: mode ${stat.mode} → 0600`,
      reason: 'others must not read it',
      differences,
    });
  },
  steps: ({ summary }, desired) => [{ title: summary, script: script(desired) }],
};

const noKey = (path: string) =>
  ({
    code: 'HST002',
    what: `${path} holds no key of a server`,
    why: 'its controller could not prove who it is, and the others may demand the key that stood there; what is no file of pgduet is not replaced',
    fix: 'Put the former file back from a backup of this host, or move it away: then pgduet provision makes another one, which takes its place.',
  }) as const;

const notHis = (path: string, owner: string, wanted: string) =>
  ({
    code: 'HST002',
    what: `${path} belongs to ${owner}`,
    why: 'whoever owns it can speak for this server; its controller would not read it',
    fix: `If ${owner} is nobody to be afraid of: chown ${wanted} ${path}. Else move it away: then pgduet provision makes another one, which takes its place.`,
  }) as const;

/** The administrator does it, so that no name in his directory leads root elsewhere. */
const script = ({ owner, managementDir }: Desired): string => {
  const path = identityPath({ managementDir });
  return `if [ -f ${quote(path)} ]; then ${sh`as ${owner} chmod 0600 ${path}`}; else
node=$(command -v node || command -v nodejs)
${sh`as ${owner} env -u NODE_OPTIONS`} "$node" -e ${sh`${program} -- ${managementDir} ${path}`}
fi`;
};

/** For Node on the host. The file is whole or not there, and one that has come meanwhile stays. */
const program = `const fs = require('fs'), crypto = require('crypto');
process.umask(0o077);
const synced = (path) => { const at = fs.openSync(path, 'r'); fs.fsyncSync(at); fs.closeSync(at); };
const [directory, path] = process.argv.slice(1);
const begun = path.replace(/([^/]*)$/, '.$1.pgduet-tmp');
const { privateKey, publicKey } = crypto.generateKeyPairSync('ec', {
  namedCurve: 'prime256v1',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
fs.rmSync(begun, { force: true });
fs.writeFileSync(begun, privateKey + publicKey, { mode: 0o600, flag: 'wx' });
synced(begun);
try { fs.linkSync(begun, path); } catch (error) { if (error.code !== 'EEXIST') throw error; }
fs.rmSync(begun);
synced(directory);`;
