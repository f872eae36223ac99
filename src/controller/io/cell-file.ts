/** cell.json in the directory of a cluster: the cell of an arbiter. In and out: Cell. It is on the disk when `writeCell` returns. */
import type { Cell } from '../core/view.ts';
import { readRecord, writeRecord } from './record-file.ts';

const kind = { field: 'cell', program: 'arbiter' };
const fileName = 'cell.json';

export function writeCell(dir: string, cell: Cell): void {
  writeRecord(dir, fileName, kind, cell);
}

/** The last cell, or none; `torn` when there was a file that cannot be trusted. */
export function readCell(dir: string): { readonly cell: Cell | null; readonly torn: boolean } {
  const { content, torn } = readRecord(dir, fileName, kind);
  return { cell: content as Cell | null, torn };
}
