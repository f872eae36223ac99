/**
 * Files that client rules and user names of a single server are read from besides pg_hba.conf and pg_ident.conf: lists of names
 * ("@admins") and, from PostgreSQL 16 on, included files. A copy has those that lie in the data directory. In: what was seen. Out: those
 * that it would lack, with the line that names them. Pure.
 */
import { filesNamed, type NamedFile } from '../../postgres/hba-tokens.ts';
import type { AdoptObservation } from './adopt-observation.ts';
import type { AdoptPlace } from './adopt-place.ts';

export interface OutsideFile {
  /** The file that names it, and where. */
  readonly from: string;
  readonly line: number;
  readonly path: string;
}

const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

/** Without '.', '..' and spare slashes. */
function plainPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/'))
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  return `/${parts.join('/')}`;
}

const isBelow = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(`${plainPath(directory)}/`);

export function outsideFiles(place: AdoptPlace, observation: AdoptObservation): readonly OutsideFile[] {
  const { live, record } = observation;
  const mains = [
    record?.hbaFile ?? live?.settings.get('hba_file')?.value,
    record?.identFile ?? live?.settings.get('ident_file')?.value,
  ];
  const found = mains.flatMap((path) => (path === undefined ? [] : below(place, observation, path, 0)));
  const told = (live?.ruleFiles ?? []).filter(
    (path) =>
      !isBelow(path, place.dataDir) && !mains.includes(path) && !found.some((one) => one.path === path),
  );
  return [...found, ...told.map((path) => ({ from: mains[0] ?? '', line: 0, path }))];
}

/** A file that moves into the data directory would look for the others there. */
function below(
  place: AdoptPlace,
  observation: AdoptObservation,
  from: string,
  depth: number,
): readonly OutsideFile[] {
  const text = observation.files.get(from)?.text ?? '';
  return filesNamed(text).flatMap((named: NamedFile) => {
    const path = plainPath(named.path.startsWith('/') ? named.path : `${directoryOf(from)}/${named.path}`);
    if (!isBelow(path, place.dataDir)) return [{ from, line: named.line, path }];
    const inside =
      named.directive === 'include_dir'
        ? [...observation.files.keys()].filter((file) => directoryOf(file) === path)
        : [path];
    return depth < 10 ? inside.flatMap((file) => below(place, observation, file, depth + 1)) : [];
  });
}
