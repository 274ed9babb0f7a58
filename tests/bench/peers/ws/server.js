// SPDX-License-Identifier: Apache-2.0
// The same echo and broadcast on node's `ws`: parses the envelope, answers in the documented form.
'use strict';
const { WebSocketServer } = require('ws');

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, backlog: 1024, perMessageDeflate: false });
server.on('listening', () => console.log(`port ${server.address().port}`));
server.on('connection', (socket) => {
  socket.on('message', (text) => {
    const request = JSON.parse(text);
    socket.send(JSON.stringify({ uid: null, action: request.action, data: request.payload }));
    if (request.resource === 'notify-all') {
      const message = JSON.stringify({ action: 'wallet_balance_update', data: request.payload });
      for (const client of server.clients) client.send(message);
    }
  });
});
process.on('SIGTERM', () => process.exit(0));
