/** Codes of the firewall for our ports. See `finding-codes.ts`. */
import type { FindingRule } from './rule.ts';

const provision = 'provision';

export const firewallCodes = {
  FWL001: {
    severity: 'drift',
    title: 'the firewall in force is not the declared one',
    consequence: 'the ports are open to others than those declared, or closed to some of them',
    repair: provision,
  },
  FWL002: {
    severity: 'drift',
    title: 'the firewall that stands keeps out who is declared',
    consequence: 'what comes from there does not reach the port, for new connections',
    repair: provision,
  },
  FWL003: {
    severity: 'note',
    title: 'sessions come from outside of the declared networks',
    consequence: 'they go on, and cannot come again once the firewall is in force',
    repair: 'write their networks under firewall.clients, or have them end',
  },
  FWL004: {
    severity: 'note',
    title: 'a firewall of pgduet stands, and the inventory does not declare one',
    consequence: 'it stays as it is; servers that are new are let in, clients only as their rules say',
    repair: 'write firewall: nftables, or firewall: none to have it taken away',
  },
  FWL005: {
    severity: 'drift',
    title: 'the declared firewall is not the one that is loaded at boot',
    consequence: 'behind a reboot the ports are open, or closed by former addresses',
    repair: provision,
  },
  FWL006: {
    severity: 'drift',
    title: 'a firewall of pgduet is there, and is declared not to be',
    consequence: 'it keeps out who is not in it, and nobody keeps it current',
    repair: provision,
  },
  FWL007: {
    severity: 'note',
    title: 'the port of the arbiter stays open',
    consequence: 'another cluster uses it, and its servers would be kept out',
    repair: 'nothing; keys guard it. An arbiter of its own for each cluster can be closed',
  },
  FWL008: {
    severity: 'drift',
    title: 'it was not proven yet that the servers reach each other through their firewalls',
    consequence: 'a server that comes from another address than declared is kept out at its next connection',
    repair: provision,
  },
} as const satisfies Record<string, FindingRule>;
