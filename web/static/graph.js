// The graph: size, dragging, search, following what runs. The picture comes from the server; what changes while the flow
// runs are classes, texts and the shares of bars.
const view = document.getElementById("graph");
const tools = document.getElementById("graph-tools");
const follow = document.getElementById("graph-follow");
const search = document.getElementById("graph-search");
const LEAST = 0.1;
const MOST = 3;
const LEGIBLE = 0.85;
const natural = { width: 0, height: 0 };
let scale = 1;

const picture = () => view.querySelector("svg");
const boxes = () => [...view.querySelectorAll("[data-key]")];

function measure() {
  const box = picture().viewBox.baseVal;
  natural.width = box.width;
  natural.height = box.height;
}

function zoom(to, at) {
  const wanted = Math.min(Math.max(to, LEAST), MOST);
  const x = at ? at.x : view.clientWidth / 2;
  const y = at ? at.y : view.clientHeight / 2;
  const across = (view.scrollLeft + x) / scale;
  const down = (view.scrollTop + y) / scale;
  scale = wanted;
  picture().setAttribute("width", natural.width * scale);
  picture().setAttribute("height", natural.height * scale);
  view.scrollTo(across * scale - x, down * scale - y);
}

function wide() {
  return Math.min(1, (view.clientWidth - 2) / natural.width);
}

function fitting() {
  const most = parseFloat(getComputedStyle(view).maxHeight) || view.clientHeight;
  return Math.min(wide(), most / natural.height);
}

function show(box, smooth = true) {
  const frame = view.getBoundingClientRect();
  const at = box.getBoundingClientRect();
  view.scrollTo({
    left: view.scrollLeft + at.left - frame.left - (view.clientWidth - at.width) / 2,
    top: view.scrollTop + at.top - frame.top - (view.clientHeight - at.height) / 2,
    behavior: smooth && !matchMedia("(prefers-reduced-motion: reduce)").matches ? "smooth" : "auto",
  });
}

const RUNNING = ["running", "retrying", "pending", "failed"];
function front() {
  const all = boxes();
  for (const phase of RUNNING) {
    const found = all.find((box) => box.classList.contains(phase));
    if (found) return found;
  }
  return null;
}

// Whether a box is in sight.
function seen(box) {
  const frame = view.getBoundingClientRect();
  const at = box.getBoundingClientRect();
  return at.right > frame.left && at.left < frame.right && at.bottom > frame.top && at.top < frame.bottom;
}

function start() {
  measure();
  zoom(Math.max(wide(), LEGIBLE));
  const centre = view.querySelector(".centre");
  const first = centre || (follow?.checked ? front() : null) || (boxes().some(seen) ? null : front() ?? boxes()[0]);
  if (first) show(first, false);
}

// --- changes ---------------------------------------------------------------------------------------------------------

function copyTexts(old, fresh) {
  const [before, after] = [old.querySelectorAll("text, title"), fresh.querySelectorAll("text, title")];
  if (before.length !== after.length) return false;
  before.forEach((text, place) => {
    if (text.textContent !== after[place].textContent) text.textContent = after[place].textContent;
    for (const name of ["x", "y"]) if (after[place].hasAttribute(name)) text.setAttribute(name, after[place].getAttribute(name));
  });
  return true;
}

function update(old, fresh) {
  if (old.getAttribute("class") !== fresh.getAttribute("class")) old.setAttribute("class", fresh.getAttribute("class"));
  const shares = fresh.querySelectorAll(".shares rect");
  old.querySelectorAll(".shares rect").forEach((bar, place) => {
    for (const name of ["x", "width"]) bar.setAttribute(name, shares[place].getAttribute(name));
  });
  return copyTexts(old, fresh);
}

document.addEventListener("jobflow:refreshed", ({ detail: { fresh } }) => {
  const other = fresh.getElementById("graph");
  if (!other) return;
  const known = new Map(boxes().map((box) => [box.dataset.key, box]));
  const same = other.dataset.shape === view.dataset.shape;
  const updated = same && [...other.querySelectorAll("[data-key]")].every((box) => known.has(box.dataset.key) && update(known.get(box.dataset.key), box));
  if (!updated) {
    view.replaceChildren(document.importNode(other.querySelector("svg"), true));
    view.dataset.shape = other.dataset.shape;
    const kept = scale;
    measure();
    scale = 1;
    zoom(kept);
  }
  if (follow?.checked) {
    const found = front();
    if (found) show(found);
  }
  mark();
});

// --- search ----------------------------------------------------------------------------------------------------------

function mark() {
  const text = search.value.trim().toLowerCase();
  let first = null;
  for (const box of boxes()) {
    const hit = text !== "" && box.dataset.key.toLowerCase().includes(text);
    box.classList.toggle("found", hit);
    if (hit) first ??= box;
  }
  return first;
}

search.addEventListener("input", () => {
  const first = mark();
  if (first) show(first);
});

// --- size and dragging -----------------------------------------------------------------------------------------------

tools.hidden = false;
tools.addEventListener("click", (event) => {
  const how = event.target.closest("[data-zoom]")?.dataset.zoom;
  if (how === "in") zoom(scale * 1.25);
  if (how === "out") zoom(scale / 1.25);
  if (how === "fit") zoom(fitting());
  if (how === "actual") zoom(1);
});

view.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  const frame = view.getBoundingClientRect();
  zoom(scale * Math.exp(-event.deltaY / 300), { x: event.clientX - frame.left, y: event.clientY - frame.top });
}, { passive: false });

view.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const done = { "+": () => zoom(scale * 1.25), "-": () => zoom(scale / 1.25), 0: () => zoom(fitting()), 1: () => zoom(1) }[event.key];
  if (done) { done(); event.preventDefault(); }
});

let dragged = null;
view.addEventListener("pointerdown", (event) => {
  if (event.button === 0 && event.pointerType === "mouse") dragged = { x: event.clientX, y: event.clientY, moved: false, id: event.pointerId };
});
view.addEventListener("pointermove", (event) => {
  if (!dragged) return;
  const [x, y] = [event.clientX - dragged.x, event.clientY - dragged.y];
  if (!dragged.moved && Math.hypot(x, y) < 5) return;
  if (!dragged.moved) view.setPointerCapture(dragged.id);
  view.scrollBy(-x, -y);
  Object.assign(dragged, { x: event.clientX, y: event.clientY, moved: true });
  view.classList.add("dragging");
});
let justDragged = false;
for (const end of ["pointerup", "pointercancel"]) {
  view.addEventListener(end, () => {
    view.classList.remove("dragging");
    justDragged = Boolean(dragged?.moved);
    dragged = null;
    setTimeout(() => { justDragged = false; });
  });
}
view.addEventListener("click", (event) => {
  if (!justDragged) return;
  event.preventDefault();
  event.stopPropagation();
}, { capture: true });
view.addEventListener("dragstart", (event) => event.preventDefault());

// --- following is part of the address, as everything that a link should show ------------------------------------------

if (follow) {
  follow.checked = new URLSearchParams(location.search).get("follow") === "1";
  follow.addEventListener("change", () => {
    const address = new URL(location.href);
    if (follow.checked) address.searchParams.set("follow", "1");
    else address.searchParams.delete("follow");
    history.replaceState(null, "", address);
    const found = follow.checked && front();
    if (found) show(found);
  });
}

start();
