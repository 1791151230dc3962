// Shared by all tabs of a browser: it holds the only stream to the server. With one stream a tab, the seventh tab would
// hang, because browsers open six connections to a host.
const tabs = new Map(); // port -> {topics, seen}
let source = null;
let open = "";
let state = { connected: false, faults: {} };
let failures = 0;
let timer = 0;
const SILENT = 180_000; // a tab says every minute that it is there, as often as browsers let hidden ones

function wanted() {
  const topics = new Set();
  for (const { topics: each } of tabs.values()) each.forEach((topic) => topics.add(topic));
  return [...topics].sort();
}

function tell(message, topics) {
  for (const [port, tab] of tabs) {
    if (!topics || tab.topics.some((topic) => topics.includes(topic))) port.postMessage(message);
  }
}

function setState(change) {
  state = { ...state, ...change };
  tell({ type: "state", ...state });
}

function connect(base) {
  const topics = wanted();
  const address = topics.length ? `${base}/live?${topics.map((topic) => `topic=${encodeURIComponent(topic)}`).join("&")}` : "";
  if (address === open && source && source.readyState !== EventSource.CLOSED) return false;
  source?.close();
  source = null;
  open = address;
  if (!address) return true;
  const made = (source = new EventSource(address));
  made.onopen = () => {
    failures = 0;
    setState({ connected: true });
    tell({ type: "changed" }); // whatever happened since the pages were made and while there was no stream
  };
  made.addEventListener("state", (event) => setState({ faults: JSON.parse(event.data) }));
  made.addEventListener("changed", (event) => {
    const changed = JSON.parse(event.data);
    tell({ type: "changed" }, changed);
  });
  made.onerror = () => {
    if (made !== source) return;
    made.close();
    failures += 1;
    if (failures > 1) setState({ connected: false });
    clearTimeout(timer);
    timer = setTimeout(() => { open = ""; connect(base); }, Math.min(500 * 2 ** Math.min(failures, 5), 15_000));
  };
  return true;
}

self.onconnect = (event) => {
  const port = event.ports[0];
  port.onmessage = ({ data }) => {
    if (data.type === "bye") tabs.delete(port);
    else tabs.set(port, { topics: data.topics, seen: Date.now() });
    for (const [each, tab] of tabs) if (Date.now() - tab.seen > SILENT) tabs.delete(each);
    const anew = connect(data.base);
    if (data.type !== "hello") return;
    port.postMessage({ type: "state", ...state });
    if (!anew) port.postMessage({ type: "changed" }); // whatever happened since its page was made
  };
};
