// Leaves parts of libraries out of the programs that nothing in them uses and that Node would read and run at each start: the server
// of ssh2, its maker of keys and its agents for HTTP, with Node's own TLS and HTTP, the maps of sources for templates, and pg's question
// whether it runs at Cloudflare. Out: a plugin for esbuild.

/** What stands in place of the whole of ssh2: the names that src/transport/ssh.ts imports. */
const ssh2 = `
const { BaseAgent, OpenSSHAgent } = require('./agent.js');
const { parseKey } = require('./protocol/keyParser.js');
module.exports = { BaseAgent, Client: require('./client.js'), OpenSSHAgent, utils: { parseKey } };
`;

/** What stands in place of pg's choice of streams. Its question makes Node load all that it has for HTTP: 60 ms with Node 18, and 5 MB. */
const streams = `
exports.getStream = () => new (require('net').Socket)();
exports.getSecureStream = (options) => require('tls').connect(options);
`;

export const leftOut = {
  name: 'parts of libraries that nothing uses',
  setup: ({ onLoad, onResolve }) => {
    onLoad({ filter: /[/\\]node_modules[/\\]ssh2[/\\]lib[/\\]index\.js$/ }, () => ({ contents: ssh2 }));
    onLoad({ filter: /[/\\]node_modules[/\\]pg[/\\]lib[/\\]stream\.js$/ }, () => ({ contents: streams }));
    // Handlebars has a way of its own for where there is none.
    onResolve({ filter: /^source-map$/ }, ({ importer }) =>
      /[/\\]node_modules[/\\]handlebars[/\\]/.test(importer)
        ? { path: 'source-map', namespace: 'none' }
        : null,
    );
    onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: '' }));
  },
};
