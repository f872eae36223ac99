// Leaves parts of libraries out of the program that nothing in it uses and that Node would read and run at each start: the server
// of ssh2, its maker of keys and its agents for HTTP, with Node's own TLS and HTTP, and the maps of sources for templates. Out: a
// plugin for esbuild.

/** What stands in place of the whole of ssh2: the names that src/transport/ssh.ts imports. */
const ssh2 = `
const { BaseAgent, OpenSSHAgent } = require('./agent.js');
const { parseKey } = require('./protocol/keyParser.js');
module.exports = { BaseAgent, Client: require('./client.js'), OpenSSHAgent, utils: { parseKey } };
`;

export const leftOut = {
  name: 'parts of libraries that nothing uses',
  setup: ({ onLoad, onResolve }) => {
    onLoad({ filter: /[/\\]node_modules[/\\]ssh2[/\\]lib[/\\]index\.js$/ }, () => ({ contents: ssh2 }));
    // Handlebars has a way of its own for where there is none.
    onResolve({ filter: /^source-map$/ }, ({ importer }) =>
      /[/\\]node_modules[/\\]handlebars[/\\]/.test(importer)
        ? { path: 'source-map', namespace: 'none' }
        : null,
    );
    onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: '' }));
  },
};
