// What every page needs: times in the reader's zone, counting ages, copy buttons.
import "./namespaces.js";
import { startLive } from "./live.js";
import { showTimes } from "./times.js";

showTimes();
setInterval(showTimes, 1000);
startLive();

// What is of use with JavaScript only is shown from now on, also when the page is brought up to date.
document.documentElement.classList.add("with-script");
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent);
  const before = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = before; }, 1500);
});

// What was done is said once: the address stays one that can be sent to somebody else.
const address = new URL(location.href);
if (address.searchParams.has("did")) {
  address.searchParams.delete("did");
  address.searchParams.delete("of");
  history.replaceState(null, "", address);
}

// One box for all rows of a list, and a count of those that are chosen.
document.addEventListener("change", (event) => {
  const box = event.target;
  if (box.matches?.("[data-all]")) {
    for (const each of document.querySelectorAll("[data-each]")) each.checked = box.checked;
  }
  const chosen = document.querySelectorAll("[data-each]:checked").length;
  for (const element of document.querySelectorAll("[data-chosen]")) element.textContent = chosen ? `${chosen} chosen` : "";
});
