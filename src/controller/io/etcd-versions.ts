/** Which releases of etcd keep what they have acknowledged. In: what /version says. Out: why it is not to be asked. Pure. */
import type { Json } from './etcd-words.ts';

/**
 * Of each series the first release that does (CHANGELOG-3.4.md and CHANGELOG-3.5.md of etcd): before 3.4.21 and 3.5.5 a single member
 * answers before its disk does; before 3.5.3 and 3.5.6 members that were killed can differ without knowing it.
 */
const soundFrom: Readonly<Record<number, number>> = { 4: 21, 5: 6 };
const wanted = '3.4.21 or newer, of 3.5 3.5.6 or newer';

export function versionTrouble(said: Json | null): string | null {
  const told = said?.etcdserver;
  const [, major = '', minor = '', patch = ''] =
    (typeof told === 'string' && /^(\d+)\.(\d+)\.(\d+)/.exec(told)) || [];
  if (major === '') return `it does not say which version it is, which has to be ${wanted}`;
  const series = Number(minor);
  const isSound = Number(major) > 3 || (Number(major) === 3 && series >= 4);
  if (isSound && (Number(major) > 3 || Number(patch) >= (soundFrom[series] ?? 0))) return null;
  return `it is version ${major}.${minor}.${patch}, which can lose what it has acknowledged: it has to be ${wanted}`;
}
