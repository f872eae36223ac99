/** unit: a systemd unit file, enabled, and known to systemd as it stands on the disk. Whether it runs is kind `controller` or `service`. */
import { quote } from '../base/shell.ts';
import { readFields } from './fields.ts';
import { absent, change, present, type ResourceKind, same, unknown } from './kind.ts';
import { putFile } from './preamble.ts';

interface Desired {
  /** Without ".service". */
  readonly name: string;
  readonly content: string;
  readonly enabled: boolean;
}

interface Seen {
  readonly text: string;
  readonly enabled: boolean;
  readonly stale: boolean;
}

const path = (name: string): string => `/etc/systemd/system/${name}.service`;

export const unit: ResourceKind<Desired, Seen> = {
  kind: 'unit',
  summary:
    'A systemd service unit from a template: its text, whether it is enabled, whether systemd has read it.',
  parse: (node, context) =>
    readFields(node, context, 'unit', (f) => {
      const rendered = context.render(f.text('template'));
      if (!rendered.ok) for (const d of rendered.diagnostics) f.problem('template', d.what, d.fix);
      return {
        name: f.text('name'),
        content: rendered.ok ? rendered.value : '',
        enabled: f.flag('enabled', true),
      };
    }),
  key: (desired) => desired.name,
  describe: (desired) => `unit ${desired.name}.service`,
  probe: ({ name }) => ({
    shell: `if [ ! -e ${quote(path(name))} ]; then echo absent; exit; fi
echo present
systemctl show -p UnitFileState -p NeedDaemonReload ${quote(`${name}.service`)} || exit 1
echo
cat ${quote(path(name))}`,
  }),
  read: (reply) => {
    if (reply.stdout.trim() === 'absent') return absent;
    if (reply.status !== 0) return unknown(reply.stderr.trim() || 'systemctl failed');
    const [head = '', ...rest] = reply.stdout.split('\n\n');
    return present({
      text: rest.join('\n\n'),
      enabled: /^UnitFileState=enabled$/m.test(head),
      stale: head.includes('NeedDaemonReload=yes'),
    });
  },
  diff: (desired, observed) => {
    const name = `${desired.name}.service`;
    if (observed.state === 'absent')
      return change({
        summary: `write and enable unit ${name}`,
        reason: 'it is not there',
        text: { before: '', after: desired.content, name: path(desired.name) },
      });
    const { text, enabled, stale } = observed.value;
    if (text !== desired.content)
      return change({
        summary: `rewrite unit ${name}`,
        reason: 'its content differs',
        text: { before: text, after: desired.content, name: path(desired.name) },
      });
    if (enabled !== desired.enabled)
      return change({
        summary: `${desired.enabled ? 'enable' : 'disable'} unit ${name}`,
        reason: `it is ${enabled ? 'enabled' : 'disabled'}`,
      });
    if (stale)
      return change({
        summary: `make systemd read ${name} again`,
        reason: 'the file is newer than what systemd knows',
      });
    return same(enabled ? 'enabled, content is right' : 'content is right');
  },
  steps: (_change, desired) => [{ title: `unit ${desired.name}.service`, script: writeScript(desired) }],
};

/** A unit that systemd has not loaded yet is read when it is started; a reload of everything is only for changes. */
function writeScript(desired: Desired): string {
  const name = quote(`${desired.name}.service`);
  return `${putFile({ path: path(desired.name), mode: '0644', owner: 'root', group: 'root', content: desired.content })}
systemctl --quiet --no-reload ${desired.enabled ? 'enable' : 'disable'} ${name}
if [ "$(systemctl show -p NeedDaemonReload --value ${name})" = yes ]; then systemctl daemon-reload; fi`;
}
