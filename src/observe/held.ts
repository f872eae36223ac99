/** Servers that were primary and may not follow before a person has rebuilt them. In: a view. Out: their names. Pure. */
import { leads } from '../resources/data/data-directory.ts';
import type { View } from './survey.ts';

/** Another one is primary, and their data says nothing of it: the controllers hold them back, so that nothing on them is lost. */
export const heldBack = ({ hosts, primary }: Pick<View, 'hosts' | 'primary'>): ReadonlySet<string> =>
  new Set([...hosts].flatMap(([name, { data }]) => (name !== primary && leads(data) ? [name] : [])));
