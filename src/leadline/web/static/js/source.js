// What the pages of Source are made of.
import "./source-jump.js";
import "./source-part.js";
import "./source-view.js";

for (const which of document.querySelectorAll("select[data-which]")) {
  which.addEventListener("change", () => {
    const address = new URL(location.href);
    if (which.value) address.searchParams.set("instance", which.value);
    else address.searchParams.delete("instance");
    location.assign(address);
  });
}
