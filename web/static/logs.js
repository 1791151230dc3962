// Follows the logs of a Job's pods. Lines are text, never HTML. While the page is hidden, the stream is closed after a
// while, so that many tabs do not use up the connections that a browser opens to one host.
const box = document.getElementById("logs");
const MOST = 10_000;
const HIDDEN_FOR = 20_000;
let stop = null;
let pending = [];
let drawing = 0;
let count = 0;
let timer = 0;

const state = document.getElementById("log-state");
const search = document.getElementById("log-search");
const wrap = document.getElementById("log-wrap");
const end = document.getElementById("log-end");

function say(words) {
  state.textContent = words;
}

function fits(line) {
  return !search.value || line.dataset.text.includes(search.value.toLowerCase());
}

function draw() {
  drawing = 0;
  const atEnd = end.checked;
  const lines = document.createDocumentFragment();
  for (const { pod, text, note } of pending) {
    const line = document.createElement("div");
    line.className = note ? "log-note" : "log-line";
    line.dataset.text = `${pod} ${text}`.toLowerCase();
    if (pod) {
      const name = document.createElement("span");
      name.className = "log-pod";
      name.textContent = pod;
      line.append(name, " ");
    }
    line.append(text);
    line.hidden = !fits(line);
    lines.append(line);
  }
  count += pending.length;
  pending = [];
  box.append(lines);
  if (atEnd) box.scrollTop = box.scrollHeight;
  say(`${count} lines`);
}

function take(line) {
  if (!line) return;
  pending.push(JSON.parse(line));
  drawing ||= requestAnimationFrame(draw);
}

async function follow() {
  stop?.abort();
  const mine = (stop = new AbortController());
  box.replaceChildren();
  count = 0;
  pending = [];
  say("reading");
  try {
    const response = await fetch(box.dataset.source, { signal: mine.signal });
    if (!response.ok) { say(`the logs cannot be read: ${response.status}`); return; }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const parts = (rest + value).split("\n");
      rest = parts.pop();
      parts.forEach(take);
      if (count + pending.length > MOST + 1) break;
    }
    if (drawing) { cancelAnimationFrame(drawing); draw(); }
    say(`${count} lines, all that there is`);
  } catch (error) {
    if (error.name !== "AbortError") {
      say("connection lost, trying again");
      setTimeout(() => { if (mine === stop) follow(); }, 3000);
    }
  }
}

if (box) {
  search.addEventListener("input", () => { for (const line of box.children) line.hidden = line.dataset.text !== undefined && !fits(line); });
  wrap.addEventListener("change", () => box.classList.toggle("log-straight", !wrap.checked));
  box.addEventListener("wheel", (event) => { if (event.deltaY < 0) end.checked = false; }, { passive: true });
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => { stop?.abort(); stop = null; }, HIDDEN_FOR);
    else if (!stop) follow();
  });
  follow();
}
