/** Which releases of etcd a controller asks. */
import { expect, it } from 'vitest';
import { versionTrouble } from '../../src/controller/io/etcd-versions.ts';

it.each(['3.4.21', '3.4.23', '3.4.44', '3.5.6', '3.5.30', '3.6.0', '3.6.0-rc.1', '3.10.0', '4.0.0'])(
  'asks %s',
  (etcdserver) => {
    expect(versionTrouble({ etcdserver })).toBeNull();
  },
);

it.each(['3.3.27', '3.4.0', '3.4.20', '3.5.0', '3.5.5', '2.3.8'])('does not ask %s', (etcdserver) => {
  expect(versionTrouble({ etcdserver })).toContain(`it is version ${etcdserver}, which can lose`);
});

it('does not ask one that does not say what it is', () => {
  for (const said of [null, {}, { etcdserver: 'new' }, { etcdserver: 3 }])
    expect(versionTrouble(said)).toMatch(/^it does not say which version it is/);
});
