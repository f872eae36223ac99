/** Roles that differ from those of the inventory: a difference in preference only, in the same words in every verb. Pure. */
export const preferenceNote = (primary: string, preferred: string): string =>
  `${primary} is primary; the inventory prefers ${preferred}. To bring the role back: pgduet switch --to ${preferred}.`;
