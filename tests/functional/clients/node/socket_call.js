// SPDX-License-Identifier: Apache-2.0
// node `ws` as a client: offers the scheme and the token, sends each message, waits for as many replies, closes.
// argv: URL, JSON array of subprotocols, JSON array of messages. Prints {protocol, headers, replies, close}.
"use strict";
const WebSocket = require("ws");

const [url, protocols, messages] = [process.argv[2], JSON.parse(process.argv[3]), JSON.parse(process.argv[4])];
const seen = { replies: [] };
const socket = new WebSocket(url, protocols);
socket.on("upgrade", (response) => { seen.headers = response.rawHeaders; });
socket.on("open", () => {
  seen.protocol = socket.protocol;
  for (const message of messages) socket.send(JSON.stringify(message));
});
socket.on("message", (data, isBinary) => {
  seen.replies.push(isBinary ? "binary" : JSON.parse(data.toString()));
  if (seen.replies.length === messages.length) socket.close(1000, "done");
});
socket.on("error", (error) => { seen.error = String(error); });
socket.on("close", (code, reason) => {
  seen.close = [code, reason.toString()];
  console.log(JSON.stringify(seen));
});
