/**
 * Settings, connection strings and client rules as they may be shown. In: text as PostgreSQL reads it. Out: the same without what
 * may be a secret of others. What is known to be harmless is shown, by its name; the rest is withheld. Pure.
 */
import { isOpenParameter, isSecretName, openAddress, openText, withheld } from '../base/withheld.ts';
import { openCommand } from '../base/withheld-command.ts';
import { failedCommand, unreadable, wrongValue } from './log-words.ts';
import { quoteSetting } from './quote.ts';

const isCommand = (name: string): boolean => /(?:_command|script)$/i.test(name);
const isTruth = (value: string): boolean => /^(?:on|off|true|false|yes|no)?$/i.test(value);

/** The value of a setting: "archive_command", "primary_conninfo", "vault.token". */
export function openSetting(name: string, value: string): string {
  if (isCommand(name)) return openCommand(value);
  if (isSecretName(name)) return isTruth(value) ? value : withheld;
  return /conninfo$/i.test(name) ? openConninfo(value) : openText(value);
}

const pair = /([A-Za-z_]\w*)\s*=\s*('(?:[^'\\]|\\[\s\S])*'?|(?:[^\s\\]|\\[\s\S])*)/g;

/** "host=a password='b c'" or an address: of parameters that are not known to be harmless only the names are shown. */
export function openConninfo(text: string): string {
  const scheme = /^\s*postgres(?:ql)?:\/\//i.exec(text)?.[0];
  if (scheme !== undefined) return `${scheme}${openAddress(text.slice(scheme.length))}`;
  const pairs = [...text.matchAll(pair)].map(([whole, name = '', value = '']) => {
    if (name === 'options' || name === 'dbname') return openText(whole);
    return isOpenParameter(name) ? whole : value === '' ? `${name}=` : `${name}=${withheld}`;
  });
  const rest = text.replace(pair, '').trim();
  return [...pairs, ...(rest === '' ? [] : [withheld])].join(' ');
}

/** Options of a client rule that are never secret ("Authentication Methods"). */
const openOptions: readonly string[] = [
  'clientcert',
  'clientname',
  'compat_realm',
  'delegate_ident_mapping',
  'include_realm',
  'issuer',
  'krb_realm',
  'ldapbasedn',
  'ldapbinddn',
  'ldapport',
  'ldapprefix',
  'ldapscheme',
  'ldapsearchattribute',
  'ldapsearchfilter',
  'ldapserver',
  'ldapsuffix',
  'ldaptls',
  'map',
  'pam_use_hostname',
  'pamservice',
  'radiusidentifiers',
  'radiusports',
  'radiusservers',
  'scope',
  'upn_username',
  'validator',
];

const ruleStart = /^([-+ ]?\s*#*\s*)((?:local|host|hostssl|hostnossl|hostgssenc|hostnogssenc)\s.*)$/s;
/** Quotes may stand anywhere in a word, and one that is never closed reaches to the end. */
const ruleWord = /\s+|(?:[^\s"]|"[^"]*"?)+/g;

/** A client rule: of its options are shown those whose names say that they are harmless. */
export function openRule(rule: string): string {
  let previous = '';
  return rule.replace(ruleWord, (word) => {
    if (/^\s/.test(word)) return word;
    const shown = openOption(word, previous);
    previous = word;
    return shown;
  });
}

/** A list may go on behind a comma, and a rule that the server cannot read may have a space where '=' belongs. */
function openOption(word: string, previous: string): string {
  const [name = '', ...value] = word.replaceAll('"', '').split('=');
  if (value.length === 0)
    return /[,=]"*$/.test(previous) || isSecretName(previous) ? continued(previous, word) : word;
  if (name === 'ldapurl') return openText(word);
  return openOptions.includes(name) ? word : `${name}=${withheld}`;
}

/** Databases, users and addresses are lists, too; what follows a harmless option is harmless. */
const continued = (previous: string, word: string): string =>
  previous.includes('=') || isSecretName(previous) ? withheld : word;

/** Words that are no value: names of options, and methods. */
const ruleName =
  /^(?:ldap|radius|pam|krb_|include_|compat_|client)\w*$|^(?:map|trust|reject|md5|password|gss|sspi|ident|peer|cert|bsd|oauth|scram-sha-256)$/;
const quotes = /["'«»„“”‹›]/;

/** Why the server cannot read a rule: it quotes the value that it does not understand, in its own language. */
export function openRuleError(error: string): string {
  const parts = error.split(quotes);
  const at = parts.findIndex((part, index) => index % 2 === 1 && !ruleName.test(part));
  const words = at < 0 ? error : error.slice(0, parts.slice(0, at).join('"').length + 1);
  const colon = words.search(/:\s/);
  if (colon >= 0) return `${words.slice(0, colon + 1)} ${withheld}`;
  return at < 0 ? words : `${words}${withheld}`;
}

const confValue =
  /^([-+ ]?\s*#*\s*(?:pgduet:\s*)?)([A-Za-z_][\w.]*)(\s*=\s*|\s+(?='))('(?:[^'\\]|''|\\.)*'?|[^\s#]*)(.*)$/s;
/** In the middle of a text: "ALTER SYSTEM SET archive_command TO '…'", "-c restore_command=…". */
const commandValue = /\b([\w.]*_command)(\s*=\s*|\s+to\s+|\s+(?='))(\S.*)$/is;

/** One line of any text: a client rule, a line of a configuration file, or words in which such a thing may stand. */
function openLine(line: string): string {
  const [, lead = '', rule] = ruleStart.exec(line) ?? [];
  if (rule !== undefined) return `${lead}${openText(openRule(rule))}`;
  const [, before = '', name, between = '', value = '', behind = ''] = confValue.exec(line) ?? [];
  if (name !== undefined) return `${before}${name}${between}${openValue(name, value, behind)}`;
  return openText(line.replace(unreadable, `$1${withheld}`))
    .replace(
      wrongValue,
      (_, words: string, name: string, open: string, value: string, close: string) =>
        `${words}${open}${openSetting(name, value)}${close}`,
    )
    .replace(
      commandValue,
      (_, setting: string, to: string, command: string) => `${setting}${to}${openCommand(command)}`,
    )
    .replace(failedCommand, (_, words: string, command: string) => `${words}${openCommand(command)}`);
}

function openValue(name: string, value: string, behind: string): string {
  const comment = openText(behind);
  if (!value.startsWith("'")) {
    // Without quotes a value has no spaces; a line that has them is no setting.
    return /^\s*(?:#|$)/.test(behind)
      ? `${openSetting(name, value)}${comment}`
      : openSetting(name, `${value}${behind}`);
  }
  const text = value.replace(/^'|'$/g, '').replaceAll("''", "'").replace(/\\(.)/g, '$1');
  const shown = openSetting(name, text);
  return `${shown === text ? value : quoteSetting(shown)}${comment}`;
}

/** A text of any number of lines. A line behind one that ends in a backslash belongs to it, and is not shown where that has secrets. */
export function withoutSecrets(text: string): string {
  let continues = false;
  return text
    .split('\n')
    .map((line) => {
      const shown = continues ? withheld : openLine(line);
      continues = line.endsWith('\\') && (continues || shown !== line || ruleStart.test(line));
      return shown;
    })
    .join('\n');
}
