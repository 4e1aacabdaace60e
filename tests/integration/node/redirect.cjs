// Preloaded into a sidecar under test: requests to hosts that stand in the provider's code reach the fake upstream.
"use strict";
const http = require("node:http");
const https = require("node:https");
const upstream = new URL(process.env.FAKE_UPSTREAM);

function redirected(url) {
  const wanted = new URL(String(url));
  return wanted.hostname === "127.0.0.1" ? wanted : new URL(`/${wanted.hostname}${wanted.pathname}${wanted.search}`, upstream);
}

https.request = (first, second, third) => {
  const options = typeof first === "object" && !(first instanceof URL) ? first : { ...second };
  const callback = typeof second === "function" ? second : third;
  const host = options.hostname ?? options.host ?? new URL(String(first)).hostname;
  const path = options.path ?? new URL(String(first)).pathname;
  const { agent, agents, port, protocol, host: _host, hostname, ...rest } = options;
  return http.request({ ...rest, host: upstream.hostname, port: upstream.port, path: `/${host}${path}` }, callback);
};
const { fetch } = globalThis;
globalThis.fetch = (input, init) =>
  input instanceof Request ? fetch(new Request(redirected(input.url), input), init) : fetch(redirected(input), init);
