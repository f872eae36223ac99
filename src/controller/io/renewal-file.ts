/**
 * renewal.json beside a key: as long as it is there, two keys are heard (ADR 16). In: the directory. Out: what it says, its keys in hex, or
 * every mistake. Never reads a file that others can write or read.
 */
import { join } from 'node:path';
import type { Diagnostic, Result } from '../../base/diagnostic.ts';
import { isOf, parseRenewal, type Renewal, renewalFile, type Turn } from '../../base/renewal.ts';
import type { Secret } from '../../base/secret.ts';
import { clusterMark } from '../config-arbiter-key.ts';
import type { KeyRow } from '../core/status.ts';
import { diagnostic, parsed, parseKey } from './files.ts';
import { isThere } from './whole-file.ts';

/** Null: no renewal is under way. */
export function readRenewal(dir: string): Result<Renewal | null> {
  const path = join(dir, renewalFile);
  return isThere(path) ? parsed(path, parseFile) : { ok: true, value: null };
}

function parseFile(text: string, file: string): Result<Renewal> {
  const renewal = parseRenewal(text);
  if (!renewal) return { ok: false, diagnostics: [notUnderstood(file)] };
  if (!renewal.key) return { ok: true, value: renewal };
  const [from, to] = [renewal.key.from, renewal.key.to].map((key) => parseKey(key.reveal(), file));
  if (!from?.ok || !to?.ok) return { ok: false, diagnostics: [notUnderstood(file)] };
  return { ok: true, value: { ...renewal, key: { from: from.value, to: to.value } } };
}

const notUnderstood = (file: string): Diagnostic =>
  diagnostic(
    'MCF012',
    `${file} cannot be understood`,
    'it says which keys are accepted as long as the secrets are renewed',
    "Run 'pgduet secrets renew' again, which writes it anew; without a renewal that is under way, remove it.",
  );

/**
 * Every key that is accepted, the own one first. In a renewal each server uses one of the two: where it uses another one, the file is left over
 * from an earlier renewal, and its keys are those that were forgotten.
 */
export function heardKeys(own: Secret, turn: Turn | undefined): readonly Secret[] {
  if (!turn || !isOf(turn, own)) return [own];
  return [own, turn.from.equals(own) ? turn.to : turn.from];
}

/** What is told of the keys of a cluster: marks, from which no key can be found. */
export const keyMarks = (own: Secret, renewal: Renewal | null): KeyRow => ({
  speaks: clusterMark(own),
  hears: heardKeys(own, renewal?.key).map(clusterMark),
  renewal: renewal !== null,
});
