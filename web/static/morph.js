// Makes one element equal to another with as few changes as possible, so that focus, selection, scrolling and what the
// reader has opened stay as they are. Elements with an id keep their identity; `data-keep` leaves an element alone.
const OWN = new Set(["open", "value", "checked", "hidden", "data-shown"]);

export function morph(old, fresh) {
  if (old.hasAttribute("data-keep")) return;
  attributes(old, fresh);
  children(old, fresh);
}

function attributes(old, fresh) {
  for (const { name, value } of fresh.attributes) {
    if (!OWN.has(name) || old.tagName === "PROGRESS") if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !OWN.has(name)) old.removeAttribute(name);
  }
}

function children(old, fresh) {
  const named = new Map();
  for (const child of old.children) if (child.id) named.set(child.id, child);
  let place = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const kept = child.id ? named.get(child.id) : undefined;
    if (kept) {
      if (kept !== place) old.insertBefore(kept, place);
      else place = place.nextSibling;
      morph(kept, child);
    } else if (place && alike(place, child)) {
      const next = place.nextSibling;
      if (child.nodeType === Node.ELEMENT_NODE) morph(place, child);
      else if (place.nodeValue !== child.nodeValue) place.nodeValue = child.nodeValue;
      place = next;
    } else {
      old.insertBefore(document.importNode(child, true), place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function alike(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName && !one.id && !other.id;
}
