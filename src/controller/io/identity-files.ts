/**
 * By which keys the servers of a cluster prove themselves to each other (ADR 30): that of this host, those of the others, and which of these
 * have been proven here. In: the directory. Out: them, or every mistake. Never reads a file that others can write or read.
 */
import { join } from 'node:path';
import type { Diagnostic, Result } from '../../base/diagnostic.ts';
import {
  identitiesFile,
  identitiesText,
  identityFile,
  type Publics,
  parseIdentities,
  provenFile,
  publicPart,
} from '../../base/identities.ts';
import { diagnostic, parsed } from './files.ts';
import { type OwnKey, otherKey, ownKey } from './pair-key.ts';
import { isThere, writeAtomic } from './whole-file.ts';

export interface Identities {
  /** Undefined where this host has none: every peer is spoken to by the cluster key. */
  readonly own?: OwnKey;
  readonly known: Publics;
  readonly proven: Publics;
}

export function readIdentities(dir: string, id: string): Result<Identities> {
  const [ownPath, knownPath, provenPath] = [identityFile, identitiesFile, provenFile(id)].map((name) =>
    join(dir, name),
  ) as [string, string, string];
  const known = isThere(knownPath) ? parsed(knownPath, parsePublics) : none;
  const proven = isThere(provenPath) ? parsed(provenPath, parsePublics) : none;
  const isUsed = [known, proven].some((it) => it.ok && Object.keys(it.value).length > 0);
  const own = isUsed || isThere(ownPath) ? parsed(ownPath, parseOwn) : undefined;
  const diagnostics = [known, proven, own].flatMap((it) => (!it || it.ok ? [] : it.diagnostics));
  if (!known.ok || !proven.ok || (own && !own.ok)) return { ok: false, diagnostics };
  return {
    ok: true,
    value: { ...(own ? { own: own.value } : {}), known: known.value, proven: proven.value },
  };
}

const none: Result<Publics> = { ok: true, value: {} };

function parseOwn(text: string, file: string): Result<OwnKey> {
  const own = ownKey(text);
  // The others are told the public part of this file.
  if (own && publicPart(text) === own.public) return { ok: true, value: own };
  const why = 'it must hold a private key for ECDH with P-256, and the public part of that key behind it';
  const fix = 'Remove it, and run pgduet provision, which makes another one.';
  return { ok: false, diagnostics: [diagnostic('MCF012', `${file} holds no key of a server`, why, fix)] };
}

function parsePublics(text: string, file: string): Result<Publics> {
  const publics = parseIdentities(text);
  const wrong = Object.entries(publics ?? {}).find(([, key]) => otherKey(key) === undefined)?.[0];
  if (publics && wrong === undefined) return { ok: true, value: publics };
  return { ok: false, diagnostics: [notUnderstood(file, wrong)] };
}

const notUnderstood = (file: string, server: string | undefined): Diagnostic =>
  diagnostic(
    'MCF012',
    `${file} cannot be understood`,
    server === undefined
      ? 'it says by which keys the other servers prove who they are'
      : `what it says of ${server} is no public key for ECDH with P-256`,
    `Run pgduet provision, which writes ${identitiesFile} anew; another file of that kind may be removed.`,
  );

/** Throws what the system says. */
export const writeProven = (dir: string, id: string, proven: Publics): void =>
  writeAtomic(dir, provenFile(id), identitiesText(proven));
