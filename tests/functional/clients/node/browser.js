// SPDX-License-Identifier: Apache-2.0
// Headless Chromium against a running host, on a page of another origin. argv[2]: {page, http, ws, token, profile}.
// Prints what the page saw; the Python side judges it.
"use strict";
const { chromium } = require("playwright-core");

const given = JSON.parse(process.argv[2]);

// The documentation's own JavaScript, run in the page; resolves when `count` messages have come.
const talk = ({ url, protocols, messages, count }) =>
  new Promise((resolve, reject) => {
    const ws = new WebSocket(url, protocols);
    const seen = [];
    ws.onmessage = (event) => {
      seen.push(JSON.parse(event.data));
      if (seen.length === count) { ws.close(); resolve({ protocol: ws.protocol, messages: seen }); }
    };
    ws.onopen = () => { for (const message of messages) ws.send(JSON.stringify(message)); };
    ws.onclose = (event) => reject(new Error("closed with " + event.code));
  });

const listen = ({ url, count }) =>
  new Promise((resolve) => {
    window.seen = [];
    const ws = new WebSocket(url);
    window.all = new Promise((done) => {
      ws.onmessage = (event) => {
        window.seen.push(JSON.parse(event.data));
        if (window.seen.length === count) done(window.seen);
      };
    });
    ws.onopen = () => resolve(true);
  });

const post = async ({ url, token }) => {
  const reply = await fetch(url, {
    method: "POST", headers: { "content-type": "application/json", "x-access-token": token }, body: "{}" });
  return { status: reply.status, body: await reply.json() };
};

(async () => {
  const context = await chromium.launchPersistentContext(given.profile, {
    executablePath: "/usr/bin/chromium", headless: true, chromiumSandbox: false,
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
  try {
    const [first, second] = [await context.newPage(), await context.newPage()];
    const result = { requests: [], handshakes: [] };
    const inspector = await context.newCDPSession(first);
    await inspector.send("Network.enable");
    inspector.on("Network.webSocketHandshakeResponseReceived", (event) => result.handshakes.push(event.response));
    inspector.on("Network.requestWillBeSent", (event) => result.requests.push(event.request.method));
    await first.goto(given.page);
    await second.goto(given.page);
    const documented = { resource: "fetch-balance", action: "balance_check", payload: {} };
    result.balance = await first.evaluate(talk, {
      url: given.ws + "?uid=user_12345", protocols: ["x-access-token", given.token], messages: [documented], count: 1 });
    result.post = await first.evaluate(post, { url: given.http + "/fetch-balance", token: given.token });
    result.refused = await first.evaluate(post, { url: given.http + "/fetch-balance", token: "no-token" });
    // Two tabs: what one sends to everybody reaches both, and its own reply comes first.
    await second.evaluate(listen, { url: given.ws + "?uid=user_67890", count: 2 });
    result.sender = await first.evaluate(talk, {
      url: given.ws + "?uid=user_12345", protocols: [],
      messages: [{ resource: "notify-all", action: "n", payload: { balance: 1 } }], count: 2 });
    result.one = await first.evaluate(talk, {
      url: given.ws + "?uid=user_12345", protocols: [],
      messages: [{ resource: "notify-one", action: "n", payload: { uid: "user_67890", balance: 2 } }], count: 1 });
    result.receiver = await second.evaluate(() => window.all);
    console.log(JSON.stringify(result));
  } finally {
    await context.close();
  }
})().catch((error) => { console.error(error); process.exit(1); });
