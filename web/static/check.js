// Checks the text while it is written, takes dropped files, and leads from a finding to its line.
import { morph } from "./morph.js";

const form = document.getElementById("check");
const text = document.getElementById("check-text");
const files = document.getElementById("check-files");
const PAUSE = 400; // milliseconds after the last key
let timer = 0;
let round = 0;

async function check() {
  const mine = ++round;
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) }).catch(() => null);
  if (!answer || mine !== round) return;
  if (answer.status === 401 || answer.status === 403) { form.submit(); return; }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const result = fresh.getElementById("check-result");
  if (result && mine === round) morph(document.getElementById("check-result"), result);
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(check, PAUSE);
}

form.addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(timer); check(); });
form.addEventListener("input", soon);

async function take(list) {
  const parts = await Promise.all([...list].map((file) => file.text()));
  if (!parts.length) return;
  text.value = parts.map((part) => part.trimEnd()).join("\n---\n") + "\n";
  check();
}

document.getElementById("check-file-label").hidden = false;
files.addEventListener("change", () => { take(files.files); files.value = ""; });
document.addEventListener("dragover", (event) => { event.preventDefault(); text.classList.add("over"); });
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) text.classList.remove("over"); });
document.addEventListener("drop", (event) => {
  event.preventDefault();
  text.classList.remove("over");
  take(event.dataTransfer.files);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-line]");
  if (!link) return;
  event.preventDefault();
  const lines = text.value.split("\n");
  const line = Number(link.dataset.line);
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  text.focus();
  text.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
  text.scrollTop = (line - 4) * (text.scrollHeight / Math.max(lines.length, 1));
});

// Text that the browser kept from an earlier visit
if (text.value.trim() && !document.querySelector(".verdict")) check();
