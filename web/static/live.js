// Keeps the page up to date: asks the shared worker for changes of the page's topics, and fetches the page again.
import { morph } from "./morph.js";
import { showTimes } from "./times.js";

const { base, topics: text, csrf } = document.body.dataset;
const topics = (text || "").split(" ").filter(Boolean);
const LEAST = 200; // milliseconds between two looks
let busy = false;
let again = false;
let stale = false;

const WORDS = {
  forbidden: "not live: you may not watch this",
  missing: "not live: this kind is not installed",
  "signed out": "signed out",
};

function show({ connected, faults }) {
  const element = document.getElementById("live");
  if (!element) return;
  const fault = topics.map((topic) => faults[topic]).find(Boolean);
  const state = !connected || fault === "lost" ? "lost" : fault ? "off" : "live";
  const words = !connected ? "connection lost, trying again" : fault === "lost" ? "cluster does not answer, trying again" : fault ? WORDS[fault] || fault : "live";
  if (element.textContent !== words) element.textContent = words;
  element.dataset.state = state;
}

export async function refresh() {
  if (document.hidden) { stale = true; return; }
  if (busy) { again = true; return; }
  busy = true;
  again = false;
  stale = false;
  const begun = Date.now();
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    if (response.status === 401 || (fresh.body.dataset.csrf ?? "") !== csrf) { location.reload(); return; }
    if (response.status < 500) {
      morph(document.getElementById("main"), fresh.getElementById("main"));
      document.title = fresh.title;
      showTimes();
      document.dispatchEvent(new CustomEvent("jobflow:refreshed", { detail: { fresh } }));
    }
  } catch {
    again = false; // the worker says when the server is back
  } finally {
    setTimeout(() => { busy = false; if (again) refresh(); }, Math.max(LEAST - (Date.now() - begun), 0));
  }
}

function listen(port) {
  const say = (type) => port.postMessage({ type, topics, base });
  port.onmessage = ({ data }) => {
    if (data.type === "state") show(data);
    else refresh();
  };
  say("hello");
  setInterval(() => say("here"), 60_000);
  addEventListener("pagehide", () => say("bye"));
  addEventListener("pageshow", (event) => { if (event.persisted) { say("hello"); refresh(); } });
}

export function startLive() {
  if (!topics.length) return;
  document.addEventListener("visibilitychange", () => { if (stale) refresh(); });
  if (globalThis.SharedWorker) {
    listen(new SharedWorker(`${base}/static/live-worker.js`, { name: "jobflow" }).port);
    return;
  }
  setInterval(refresh, 5000); // browsers without shared workers
}
