/** What pgduet writes into the directory of drop-ins of a unit: these names, and nothing else there is pgduet's. Pure. */

/** Says who starts the server, this unit or another one. */
export const startDropIn = 'pgduet.conf';
/** There only while a unit lets its running server go. */
export const letGoDropIn = 'pgduet-let-go.conf';

/** For grep: a line with which a drop-in lets what runs in a unit gain privileges. */
export const letsGain =
  '^[[:space:]]*NoNewPrivileges[[:space:]]*=[[:space:]]*(no|n|false|f|off|0)[[:space:]]*$';

/** The same: a line that gives capabilities, and one that says which may be given. */
export const raises = '^[[:space:]]*AmbientCapabilities[[:space:]]*=[[:space:]]*[^[:space:]~]';
export const bounds = '^[[:space:]]*CapabilityBoundingSet[[:space:]]*=[[:space:]]*[^[:space:]~]';

export const ownDropIns: readonly string[] = [startDropIn, letGoDropIn];
