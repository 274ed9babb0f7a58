// SPDX-License-Identifier: Apache-2.0
// paseto-ts, which other people wrote: `paseto.js encrypt KEY CLAIMS [FOOTER]` prints a token of v4.local, `paseto.js decrypt KEY
// TOKEN` the claims of one. KEY is k4.local.; CLAIMS is a JSON object.
"use strict";
const { pathToFileURL } = require("url");

async function main([verb, key, text, footer]) {
  // It is an ES module, for which node does not look into NODE_PATH.
  const { encrypt, decrypt } = await import(pathToFileURL(process.env.NODE_PATH + "/paseto-ts/dist/v4/index.js"));
  if (verb === "encrypt") {
    console.log(encrypt(key, JSON.parse(text), { footer: footer || "", addIat: false, addExp: false, validatePayload: false }));
  } else {
    console.log(JSON.stringify(decrypt(key, text).payload));
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(String(error));
  process.exit(1);
});
