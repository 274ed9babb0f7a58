// SPDX-License-Identifier: Apache-2.0
// What node's HTTP server (llhttp) makes of many inputs, for http_differential.py: same input and output as http_reader.cpp.
// No sockets: each case is a stream of its own that the server takes for a connection.
import http from 'node:http';
import { Duplex } from 'node:stream';

const base64 = (text) => Buffer.from(text, 'latin1').toString('base64');
const server = http.createServer();

server.on('request', (request) => request.socket.arrived(request));
server.on('checkContinue', (request) => request.socket.arrived(request));
server.on('checkExpectation', (request) => request.socket.refused('417'));
server.on('connect', (request, socket) => socket.refused('CONNECT'));
server.on('clientError', (error, socket) => socket.refused(`${error.code} ${error.reason ?? ''}`.trim()));

class Case extends Duplex {
  requests = [];
  ending = '';
  written = '';

  arrived(request) {
    if (this.ending) return; // nothing counts behind a refusal
    const entry = { request, body: [] };
    this.requests.push(entry);
    request.on('data', (piece) => entry.body.push(piece));
  }

  refused(why) {
    this.ending ||= `refused: ${why}`;
  }

  toJson() {
    const status = /HTTP\/1\.1 (4\d\d|5\d\d)/.exec(this.written);
    if (status) this.refused(status[1]);
    const requests = this.requests.filter(({ request }) => request.complete).map(({ request, body }) => ({
      method: base64(request.method),
      target: base64(request.url),
      headers: request.rawHeaders.map((text) => base64(text)),
      body: Buffer.concat(body).toString('base64'),
    }));
    return JSON.stringify({ requests, end: this.ending || 'open' });
  }

  _read() {}

  _write(chunk, encoding, done) {
    this.written += chunk.toString('latin1');
    done();
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function judge(bytes) {
  const socket = new Case();
  server.emit('connection', socket);
  socket.push(bytes);
  for (let i = 0; i < 4; ++i) await turn();
  const line = socket.toJson();
  socket.on('error', () => {});
  socket.destroy();
  return line;
}

const input = [];
for await (const piece of process.stdin) input.push(piece);
const all = Buffer.concat(input);
const cases = [];
for (let at = 0; at < all.length;) {
  const size = all.readUInt32BE(at);
  cases.push(all.subarray(at + 4, at + 4 + size));
  at += 4 + size;
}
const lines = [];
for (let at = 0; at < cases.length; at += 64) {
  lines.push(...await Promise.all(cases.slice(at, at + 64).map(judge)));
}
process.stdout.write(lines.join('\n') + '\n', () => process.exit(0));
