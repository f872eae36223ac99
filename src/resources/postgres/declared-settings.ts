/** Which settings a resource declares: for those who compare servers with each other. Pure. */
import type { AnyKind } from '../contract/kind.ts';

/** Names and values of a resource of kind `settings`; nothing of any other. */
export function declaredSettings(resource: {
  readonly kind: AnyKind;
  readonly desired: unknown;
}): readonly (readonly [string, string])[] {
  if (resource.kind.kind !== 'settings') return [];
  // The engine knows no types of a kind; every desired value of this one has `values`.
  return Object.entries((resource.desired as { readonly values: Readonly<Record<string, string>> }).values);
}
