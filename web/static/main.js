// What every page needs: times in the reader's zone, counting ages, copy buttons.
import { startLive } from "./live.js";
import { showTimes } from "./times.js";

showTimes();
setInterval(showTimes, 1000);
startLive();

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
}
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent);
  const before = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = before; }, 1500);
});
