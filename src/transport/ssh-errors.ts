/**
 * Says what a failed connection means: from how far it came to a Diagnostic (CON001, CON002, CON003, CON004, CON009).
 * In: a target and an SshFailure. Out: an error with what, why and fix. Pure.
 */
import type { DiagnosticError } from '../base/diagnostic.ts';
import { refusal } from './refusal.ts';
import type { SshFailure } from './ssh.ts';
import type { Target } from './ssh-target.ts';

interface Words {
  readonly what: string;
  readonly fix: string;
}

const seconds = (ms: number): string => `${Number((ms / 1000).toFixed(1))} s`;

export function endpoint(target: Target): string {
  const address = target.address.includes(':') ? `[${target.address}]` : target.address;
  return `${address}:${target.port}`;
}

const quiet =
  'Look whether the host is on, the address is right and no firewall drops the packets: it may let this machine in only behind a VPN, a jump host (ProxyJump) or a knock at other ports, which has to be given before.';

function unreachableWords(target: Target, failure: SshFailure): Words {
  const { name, connectTimeoutMs } = target;
  const at = endpoint(target);
  const within = seconds(connectTimeoutMs);
  if (failure.timedOut && failure.phase === 'handshake') {
    return {
      what: `'${name}' took the connection at ${at} but did not speak ssh within ${within}`,
      fix: 'Look whether sshd there is overloaded or another program listens on that port.',
    };
  }
  if (failure.timedOut) {
    return {
      what: `'${name}' did not answer at ${at} within ${within}`,
      fix: quiet,
    };
  }
  switch (failure.error.code) {
    case 'ECONNREFUSED':
      return {
        what: `'${name}' refused the connection at ${at}`,
        fix: 'The host is up, but nothing listens there: start sshd, or correct ssh.port.',
      };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
      return {
        what: `the name '${target.address}' of '${name}' has no address`,
        fix: 'Correct the address in the inventory (or HostName in ~/.ssh/config), or make the name resolve.',
      };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return {
        what: `there is no route to '${name}' at ${at}`,
        fix: 'Look whether the host is on and this machine is connected to its network.',
      };
    case 'ETIMEDOUT':
      return {
        what: `'${name}' did not answer at ${at}`,
        fix: quiet,
      };
  }
  if (/no matching/i.test(failure.error.message)) {
    return {
      what: `'${name}' and pgduet have no ssh algorithm in common: ${failure.error.message}`,
      fix: commonAlgorithm(failure.error.message),
    };
  }
  return {
    what: `the connection to '${name}' at ${at} ended before the login: ${failure.error.message}`,
    fix: 'Look at the log of sshd there: MaxStartups, PerSourcePenalties, or a program that is not sshd.',
  };
}

/** Which of the four that a connection agrees on is missing; the words are those of the library. */
function commonAlgorithm(said: string): string {
  if (/key exchange/i.test(said))
    return 'Add curve25519-sha256 to KexAlgorithms in sshd_config there, behind the others, or to a Match block for the address of this machine: of the exchanges against quantum computers (sntrup761, mlkem768) pgduet speaks none. Or go through a jump host that takes such a one (ProxyJump).';
  if (/host key/i.test(said))
    return 'Let sshd show an ed25519, ecdsa or rsa key there (HostKey, and HostKeyAlgorithms with ssh-ed25519 or rsa-sha2-512): signatures by SHA-1 (ssh-rsa) and host certificates are not taken.';
  return 'Allow a current one there, such as the cipher aes256-gcm@openssh.com or aes128-ctr (Ciphers) and hmac-sha2-256 (MACs).';
}

function loginRefused(target: Target, failure: SshFailure, skipped: readonly string[]): DiagnosticError {
  const { name, user } = target;
  const tried =
    failure.tried.length === 0
      ? 'nothing: there was no key and no password to try'
      : failure.tried.join(', ');
  const tooMany = /too many/i.test(failure.error.message);
  const shown =
    failure.error.message === 'All configured authentication methods failed' ? [] : [failure.error.message];
  return refusal({
    code: 'CON004',
    what: failure.timedOut
      ? `'${name}' did not answer the login of '${user}'`
      : `'${name}' does not let '${user}' log in`,
    why: `tried: ${tried}${failure.allowed.length > 0 ? `; the host still accepts: ${failure.allowed.join(', ')}` : ''}`,
    fix: tooMany
      ? 'Name the one key that fits as ssh.identity_file in the inventory: the host counts every key that is tried.'
      : `Correct ssh.user, ssh.identity_file or ssh.password, or add the key to ~${user}/.ssh/authorized_keys there.`,
    host: name,
    ...(skipped.length + shown.length > 0
      ? { evidence: [...shown, ...skipped.map((line) => `not tried: ${line}`)] }
      : {}),
  });
}

export function explain(target: Target, failure: SshFailure, skipped: readonly string[]): DiagnosticError {
  if (failure.hostKey) return failure.hostKey;
  if (failure.phase === 'login') return loginRefused(target, failure, skipped);
  return refusal({
    code: 'CON001',
    ...unreachableWords(target, failure),
    why: 'nothing can be looked at or changed on a host that is not reached',
    host: target.name,
  });
}

/** A failure on the way: says which hop, and leaves the reason as it was. */
export function throughJump(host: string, jump: string, inner: DiagnosticError): DiagnosticError {
  const [cause] = inner.diagnostics;
  return refusal({
    code: 'CON009',
    what: `the jump host '${jump}' of '${host}' cannot be used: ${cause?.what ?? inner.message}`,
    why: cause?.why ?? 'the way to the host goes through it',
    fix: cause?.fix ?? `Try: ssh ${jump}`,
    host,
    ...(cause?.evidence ? { evidence: cause.evidence } : {}),
  });
}

/** The jump host was reached but could not, or would not, connect onwards. */
export function jumpRefused(target: Target, jump: string, error: Error): DiagnosticError {
  const prohibited = /prohibited/i.test(error.message) || ('reason' in error && error.reason === 1);
  return refusal({
    code: prohibited ? 'CON009' : 'CON001',
    what: prohibited
      ? `the jump host '${jump}' does not allow a connection to '${target.name}'`
      : `'${target.name}' does not answer at ${endpoint(target)}, asked from the jump host '${jump}'`,
    why: prohibited
      ? 'the way to the host goes through it'
      : 'nothing can be looked at or changed on a host that is not reached',
    fix: prohibited
      ? `Allow it in the sshd_config of '${jump}': AllowTcpForwarding yes (or local), and PermitOpen.`
      : `Look whether the host is on and '${jump}' can reach it.`,
    host: target.name,
    evidence: [error.message],
  });
}
