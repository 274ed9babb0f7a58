// SPDX-License-Identifier: Apache-2.0
// node `ws` with fragments, pings, a large message and closes of its own. argv: URL. Prints what it saw.
"use strict";
const WebSocket = require("ws");

const url = process.argv[2];
const open = () =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { perMessageDeflate: true });
    socket.once("error", reject);
    socket.once("open", () => resolve(socket));
  });
const once = (socket, event) => new Promise((resolve) => socket.once(event, (...all) => resolve(all)));
const call = (payload) => JSON.stringify({ resource: "echo", action: "a", payload });

(async () => {
  const seen = {};
  let socket = await open();
  seen.extensions = socket.extensions;
  const text = call({ n: "é€😀" });
  const bytes = Buffer.from(text);
  let reply = once(socket, "message");
  for (let at = 0; at < bytes.length; ++at)
    socket.send(bytes.subarray(at, at + 1), { binary: false, fin: at + 1 === bytes.length });
  seen.fragments = JSON.parse((await reply)[0]).data;
  const pong = once(socket, "pong");
  socket.ping("are you there");
  seen.pong = (await pong)[0].toString();
  reply = once(socket, "message");
  socket.send(call("x".repeat(1000000)));
  seen.large = JSON.parse((await reply)[0]).data.length;
  let closed = once(socket, "close");
  socket.close(3001, "mine");
  seen.close = (await closed)[0];
  socket = await open();
  closed = once(socket, "close");
  socket.send(Buffer.from([1, 2]));
  seen.binary = (await closed)[0];
  socket = await open();
  closed = once(socket, "close");
  socket.send(call("x".repeat(1100000)));
  seen.too_large = (await closed)[0];
  console.log(JSON.stringify(seen));
})().catch((error) => { console.error(error); process.exit(1); });
