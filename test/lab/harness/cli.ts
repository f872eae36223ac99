/**
 * The verbs of scripts/lab.mjs. In: the words of the command line. Out: text for a person, and a
 * status. Whatever ends `up`, it must never leave hosts behind.
 */
import { once } from 'node:events';
import { removeDeadLabs } from './claim.ts';
import { DEPLOY_PASSWORD, IMAGE_NAMES, type ImageName } from './definition.ts';
import { ensureImages, removeOldImages } from './image.ts';
import { type Host, Lab } from './lab.ts';
import { removeOldLayers } from './prepared.ts';

interface Flags {
  image: string;
  names?: string;
}

export async function runVerb(words: readonly string[], flags: Flags): Promise<number> {
  const [verb, ...rest] = words;
  switch (verb) {
    case 'up':
      return up(Number(rest[0] ?? '2'), flags);
    case 'images':
      await ensureImages(rest.length > 0 ? rest.map(imageName) : IMAGE_NAMES);
      return 0;
    case 'clean':
      await removeDeadLabs();
      return 0;
    case 'prune':
      for (const name of [...(await removeOldLayers(0)), ...(await removeOldImages(IMAGE_NAMES))])
        console.log(`removed ${name}`);
      return 0;
    default:
      console.error('say one of: up [COUNT], images [NAME …], clean, prune');
      return 2;
  }
}

function imageName(word: string): ImageName {
  const found = IMAGE_NAMES.find((name) => name === word);
  if (found === undefined) throw new Error(`no image ${word}; there are ${IMAGE_NAMES.join(', ')}`);
  return found;
}

async function up(count: number, flags: Flags): Promise<number> {
  const image = imageName(flags.image);
  await ensureImages([image]);
  const stop = Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => once(process, signal)));
  const lab = await Lab.open();
  try {
    const started = Date.now();
    const names = flags.names === undefined ? {} : { names: flags.names.split(',') };
    const hosts = await lab.hosts(count, { image, ...names });
    console.log(describe(lab, hosts, Date.now() - started));
    // An open timer keeps the process, and with it the hosts, until a signal arrives.
    const alive = setInterval(() => undefined, 60_000);
    await stop;
    clearInterval(alive);
  } finally {
    await lab.close();
  }
  return 0;
}

function describe(lab: Lab, hosts: readonly Host[], tookMs: number): string {
  const rows = hosts.map((host) => `  ${host.name}  ${host.address}  ${host.address6}  ${host.disk}`);
  const first = hosts[0];
  return [
    `${hosts.length} hosts in ${tookMs} ms: name, addresses, root directory`,
    ...rows,
    `key          ${lab.key}`,
    `known_hosts  ${lab.knownHosts}`,
    `users        root and ops (sudo without password), deploy (password ${DEPLOY_PASSWORD})`,
    `try          ssh -i ${lab.key} -o UserKnownHostsFile=${lab.knownHosts} root@${first?.address ?? ''}`,
    'Ctrl-C switches them off and removes them.',
  ].join('\n');
}
